"""The pictures in docs/images are what their script draws, and everybody can read them."""

import itertools
from pathlib import Path
from xml.etree import ElementTree

import draw_pictures
import picture_words
import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

ROOT = Path(__file__).resolve().parents[2]
PICTURES = draw_pictures.pictures()
PAGES = ("#ffffff", "#0d1117", "#111111")  # a white page, GitHub's dark one and JupyterLab's
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=PICTURES)
def name(request) -> str:
    return request.param


@pytest.fixture
def elements(name) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(PICTURES[name]).iter())


def luminance(color: str) -> float:
    """WCAG's relative luminance of a colour such as #0072B2."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def rectangles(elements) -> list[tuple[float, float, float, float, str]]:
    """Left, top, right, bottom and fill of each rectangle, in the order of drawing."""
    found = []
    for element in elements:
        if element.tag == f"{SVG}rect":
            x, y, width, height = (float(element.get(name)) for name in ("x", "y", "width", "height"))
            found.append((x, y, x + width, y + height, element.get("fill")))
    return found


def test_what_is_committed_is_what_the_script_draws(name):
    assert (draw_pictures.IMAGES / name).read_text(encoding="utf-8") == PICTURES[name], "run `make pictures`"


def test_every_word_on_a_portuguese_picture_is_portuguese():
    english = {word for word in picture_words.PORTUGUESE if " " in word}
    for name in picture_words.ALTERNATIVES:
        assert not [word for word in english if f">{word}<" in PICTURES[f"pt/{name}"]], name
    with pytest.raises(KeyError, match="a new word"):
        picture_words.portuguese("a new word")


def test_a_text_says_what_the_picture_shows(elements):
    texts = {element.tag.removeprefix(SVG): element.text for element in elements}
    assert len(texts["title"]) > 10
    assert len(texts["desc"]) > 40


def test_words_contrast_with_what_is_behind_them_on_every_page(elements):
    filled = [rectangle for rectangle in rectangles(elements) if rectangle[4] != "none"]
    for text in (element for element in elements if element.tag == f"{SVG}text"):
        x, y = float(text.get("x")), float(text.get("y")) - 4
        behind = [fill for left, top, right, bottom, fill in filled if left < x < right and top < y < bottom]
        for ground in behind[-1:] or PAGES:
            assert contrast(text.get("fill"), ground) > 4.2, f"{text.text} on {ground}"


def test_words_stay_in_their_boxes_and_on_the_picture(elements):
    """In DejaVu Sans, wider than the fonts before it in the list."""
    width = float(elements[0].get("width"))
    for text in (element for element in elements if element.tag == f"{SVG}text"):
        weight = "bold" if text.get("font-weight") != "400" else "normal"
        font = FontProperties(family="DejaVu Sans", weight=weight)
        extent = TextPath((0, 0), text.text, size=float(text.get("font-size")), prop=font).get_extents().width
        x, y = float(text.get("x")), float(text.get("y")) - 4
        shift = {"middle": extent / 2, "start": 0}[text.get("text-anchor")]
        around = [box for box in rectangles(elements) if box[0] <= x <= box[2] and box[1] < y < box[3]]
        left, right = (around[-1][0], around[-1][2]) if around else (0, width)
        assert left <= x - shift <= x - shift + extent <= right, text.text


def test_each_lesson_has_one_place_of_its_own_on_the_map():
    for lesson in draw_pictures.LESSONS:
        words = ElementTree.fromstring(draw_pictures.here(lesson, lesson.alt)).iter(f"{SVG}text")
        marks = [word for word in words if "you are here" in word.text]
        assert len(marks) == len(lesson.here)
        assert all(place in ("workspace", "notebook", *draw_pictures.PLACES) for place in (*lesson.here, *lesson.made))
    for one, other in itertools.combinations(draw_pictures.LESSONS, 2):
        assert PICTURES[f"here-{one.number}.svg"] != PICTURES[f"here-{other.number}.svg"]
