"""Draw the pictures to think with: the map of each lesson, the stages of a run, and the house. `make pictures`.

They are SVG files in docs/images and, in Portuguese, in docs/images/pt, shown by the notebooks and the READMEs. The
page behind them may be white or dark, so nothing here depends on it: what matters is white on a filled box, and lines
and loose words are of a grey that reads on both. Nothing is told by colour alone.
"""

import html
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import endings  # noqa: F401 - before all else
import picture_words

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"

# Contrasts by WCAG's formula: white on BLUE 5.2 and on VERMILION 5.3; INK 4.4 on white and 4.3 on a dark page, and no
# grey has more on both.
INK, BLUE, VERMILION, WHITE = "#787878", "#0072B2", "#B24D00", "#ffffff"
FONT = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"


Say = Callable[[str], str]  # gives English words in the language of a picture


@dataclass(frozen=True)
class Box:
    """A thing on a picture: its place and size in pixels, its name, and a few words below the name."""

    x: int
    y: int
    width: int
    height: int
    name: str
    words: str = ""

    @property
    def middle(self) -> int:
        return self.x + self.width // 2

    @property
    def center(self) -> int:
        return self.y + self.height // 2

    def told(self, say: Say) -> "Box":
        """The box with its words in another language."""
        return replace(self, name=say(self.name), words=say(self.words))


# The map, which is the same in every lesson.
PLACES = {
    "data": Box(40, 62, 132, 46, "data", "named files"),
    "compute": Box(40, 136, 132, 46, "compute", "machines"),
    "run": Box(232, 99, 132, 46, "run", "a script at work"),
    "model": Box(410, 99, 132, 46, "model", "what it learned"),
    "service": Box(588, 99, 132, 46, "service", "answers requests"),
}
WORKSPACE = Box(16, 26, 728, 178, "workspace")
NOTEBOOK = Box(410, 232, 132, 46, "your notebook", "on your machine")


@dataclass(frozen=True)
class Lesson:
    """Where a lesson is on the map, what was made before it, and the alternative text that says so."""

    number: int
    here: tuple[str, ...]
    made: tuple[str, ...]
    alt: str


FLOW = "data and compute make a run, the run makes a model, the model makes a service, all in the workspace"
LESSONS = (
    Lesson(1, ("workspace",), (), f"Map of the series: {FLOW}. You are here: the workspace, which is still empty."),
    Lesson(2, ("data",), ("workspace",), "Map of the series. You are here: data. The workspace is open."),
    Lesson(3, ("compute",), ("workspace", "data"), "Map of the series. You are here: compute. The data is there."),
    Lesson(
        4,
        ("run",),
        ("workspace", "data", "compute"),
        "Map of the series. You are here: the run, which takes the data and the compute.",
    ),
    Lesson(
        5,
        ("model",),
        ("workspace", "data", "compute", "run"),
        "Map of the series. You are here: the model, made of the files of the run.",
    ),
    Lesson(
        6,
        ("notebook",),
        ("workspace", "data", "compute", "run", "model"),
        "Map of the series. You are here: your notebook, to which the model is downloaded.",
    ),
    Lesson(
        7,
        ("run",),
        ("workspace", "data", "compute", "run", "model"),
        "Map of the series. You are here: the run again, this time many of them, to find a better model.",
    ),
    Lesson(
        8,
        ("service",),
        ("workspace", "data", "compute", "run", "model"),
        "Map of the series. You are here: the service, which answers with the model.",
    ),
    Lesson(
        9,
        ("compute", "service"),
        ("workspace", "data", "run", "model"),
        "Map of the series. You are here: compute and service, the two that cost money and are removed.",
    ),
    Lesson(
        10,
        ("compute", "run", "model"),
        ("workspace", "data"),
        "Map of the series. You are here: compute, run and model, made anew by the steps of one pipeline.",
    ),
)
STAGES_ALT = (
    "The stages of a run, from left to right: NotStarted; Preparing, the environment is built or found; Queued, it "
    "waits for a node; Running, the script works; Finalizing, its outputs are kept; Completed. Preparing and Running "
    "may end in Failed, and each stage before the end in Canceled."
)
HOUSE_ALT = (
    "How it fits together. The notebooks, or the batch runner, import an SDK. With the backend offline, version 1 is a "
    "mocked SDK and version 2 is Microsoft's own; both reach an engine on this machine, which keeps the workspace in a "
    "folder and starts the training script as a real process. With the backend azure, the real SDKs reach an Azure ML "
    "workspace."
)


def here(lesson: Lesson, alt: str, say: Say = str) -> str:
    """The map with the lesson's place on it."""
    you_are_here = say("you are here")
    frame_pin = you_are_here if "workspace" in lesson.here else ""
    parts = [_frame(WORKSPACE.told(say), frame_pin, "workspace" in lesson.made)]
    data, compute, run, model, service = PLACES.values()
    parts += [_elbow(data, run), _elbow(compute, run), _level(run, model), _level(model, service)]
    if lesson.number == 7:  # more runs behind the one
        parts += [_rectangle(Box(run.x + by, run.y - by, run.width, run.height, ""), VERMILION, 0.45) for by in (14, 7)]
    pins = dict.fromkeys(lesson.here, you_are_here)
    parts += [_place(box.told(say), pins.get(name, ""), name in lesson.made) for name, box in PLACES.items()]
    if "notebook" in lesson.here:
        parts += [_line(model.middle, model.y + model.height, model.middle, NOTEBOOK.y, VERMILION, width=2.5)]
        parts += [_text(model.middle + 10, NOTEBOOK.y - 40, say("download"), INK, 12, "start")]
    else:
        x = NOTEBOOK.middle
        parts += [_line(x, NOTEBOOK.y, x, WORKSPACE.y + WORKSPACE.height, INK)]
        parts += [_text(x + 10, NOTEBOOK.y - 9, say("asks"), INK, 12, "start")]
    parts += [_place(NOTEBOOK.told(say), pins.get("notebook", ""), False)]
    parts += [_legend(40, 256, say)]
    return _svg(760, 290, f"{say('Lesson')} {lesson.number}: {you_are_here}", alt, parts)


def stages(alt: str, say: Say = str) -> str:
    """The stages of a run, and its three ends."""
    names = (
        ("NotStarted", "submitted"),
        ("Preparing", "environment built"),
        ("Queued", "waits for a node"),
        ("Running", "the script works"),
        ("Finalizing", "outputs are kept"),
    )
    boxes = [Box(12 + 126 * at, 30, 112, 46, name, say(words)) for at, (name, words) in enumerate(names)]
    completed = Box(642, 30, 112, 46, "Completed")
    failed, canceled = Box(264, 128, 112, 40, "Failed"), Box(516, 128, 112, 40, "Canceled")
    parts = [_level(left, right) for left, right in zip(boxes, [*boxes[1:], completed], strict=True)]
    preparing, running = boxes[1], boxes[3]
    parts += [
        _path(f"M{preparing.middle} 76 V100 H{failed.middle - 20} V{failed.y - 2}"),
        _path(f"M{running.middle} 76 V100 H{failed.middle + 20} V{failed.y - 2}"),
        _path(f"M{canceled.middle} 104 V{canceled.y - 2}"),
        _text(canceled.middle, 97, say("at any time: run.cancel()"), INK, 12),
        _text(failed.middle, 188, say("the log says why"), INK, 12),
        _text(canceled.middle, 188, say("what it wrote is kept"), INK, 12),
    ]
    parts += [_filled(box, BLUE) for box in boxes]
    parts += [_filled(completed, BLUE, "✓ "), _filled(failed, VERMILION, "✗ "), _outlined(canceled)]
    return _svg(760, 200, say("The stages of a run"), alt, parts)


def house(alt: str, say: Say = str) -> str:
    """What calls what, offline and on Azure."""
    notebooks = Box(16, 40, 170, 56, "notebooks", "one by one, in JupyterLab").told(say)
    runner = Box(16, 116, 170, 56, "batch runner", "all of them, papermill").told(say)
    mocked = Box(300, 40, 160, 56, "v1: a mocked SDK", "import azureml").told(say)
    answered = Box(300, 116, 160, 56, "v2: the real SDK", "import azure.ai.ml").told(say)
    real = Box(300, 196, 160, 56, "the real SDKs", "v1 or v2").told(say)
    engine = Box(520, 40, 104, 56, "engine", "jobs, nodes").told(say)
    script = Box(664, 40, 104, 56, "training", "a real process").told(say)
    folder = Box(520, 122, 248, 46, "the workspace is a folder", "runs (MLflow), files, models, services").told(say)
    azure = Box(520, 196, 248, 56, "Azure ML workspace", "clusters, runs, models, services").told(say)
    parts = [
        _frame(Box(284, 14, 500, 168, say("on this machine")), "", False),
        _level(notebooks, mocked),
        _level(runner, answered),
        _path(f"M236 {notebooks.center} V{real.center} H{real.x - 3}"),
        _text(243, 59, "offline", INK, 12),
        _text(243, real.center - 9, "azure", INK, 12, "start"),
        _level(mocked, engine),
        _path(f"M{answered.x + answered.width} {answered.center} H486 V84 H{engine.x - 3}"),
        _level(engine, script),
        _level(real, azure),
        _line(engine.middle, 96, engine.middle, folder.y, INK),
        _line(script.middle, 96, script.middle, folder.y, INK),
        _text(101, real.center + 4, say('backend = "offline" or "azure"'), INK, 12),
    ]
    parts += [_filled(box, BLUE) for box in (notebooks, runner, mocked, answered, engine, script)]
    parts += [_outlined(folder), _outlined(real), _outlined(azure)]
    return _svg(800, 266, say("How it fits together"), alt, parts)


def pictures() -> dict[str, str]:
    """Each file's name and what it holds."""
    translated = _drawn(picture_words.ALTERNATIVES, picture_words.portuguese)
    return _drawn(alternatives()) | {f"pt/{name}": picture for name, picture in translated.items()}


def alternatives() -> dict[str, str]:
    """Each English picture's name and the alternative text that goes with it wherever it is shown."""
    maps = {f"here-{lesson.number}.svg": lesson.alt for lesson in LESSONS}
    return {**maps, "stages.svg": STAGES_ALT, "house.svg": HOUSE_ALT}


def _drawn(alternatives: Mapping[str, str], say: Say = str) -> dict[str, str]:
    """The pictures of these names, each with its alternative text."""
    drawn = {f"here-{lesson.number}.svg": partial(here, lesson) for lesson in LESSONS}
    drawn |= {"stages.svg": stages, "house.svg": house}
    return {name: drawn[name](alt, say) for name, alt in alternatives.items()}


def _place(box: Box, pinned: str, is_made: bool) -> str:
    """A box; where the reader is, with these words pinned to it."""
    if pinned:
        pin = Box(box.middle - 48, box.y - 21, 96, 19, pinned)
        return _filled(box, VERMILION) + _rectangle(pin, VERMILION) + _text(pin.middle, pin.y + 14, pin.name, WHITE, 12)
    return _filled(box, BLUE, "✓ ") if is_made else _outlined(box)


def _frame(box: Box, pinned: str, is_made: bool) -> str:
    """A large rectangle around others, with its name on the upper edge; where the reader is, with these words, too."""
    label = f"{box.name} · {pinned}" if pinned else f"✓ {box.name}" if is_made else box.name
    color = VERMILION if pinned else BLUE if is_made else INK
    tag = Box(box.x + 20, box.y - 12, 22 + 8 * len(label), 24, "")
    edge = _rectangle(box, "none", edge=color, width=2.5 if pinned else 1.5)
    return edge + _rectangle(tag, color) + _text(tag.middle, tag.y + 16, label, WHITE, 13, weight=600)


def _legend(x: int, y: int, say: Say) -> str:
    made, to_come = Box(x, y - 9, 18, 18, ""), Box(x + 112, y - 9, 18, 18, "")
    return "".join(
        [
            _rectangle(made, BLUE) + _text(made.middle, y + 5, "✓", WHITE, 12),
            _text(x + 26, y + 4, say("made"), INK, 12, "start"),
            _rectangle(to_come, "none", edge=INK) + _text(x + 138, y + 4, say("still to come"), INK, 12, "start"),
        ]
    )


def _filled(box: Box, color: str, mark: str = "") -> str:
    return _rectangle(box, color) + _named(box, WHITE, mark)


def _outlined(box: Box) -> str:
    return _rectangle(box, "none", edge=INK) + _named(box, INK)


def _named(box: Box, color: str, mark: str = "") -> str:
    if not box.words:
        return _text(box.middle, box.center + 5, mark + box.name, color, 14, weight=600)
    name = _text(box.middle, box.center - 3, mark + box.name, color, 14, weight=600)
    return name + _text(box.middle, box.center + 14, box.words, color, 12)


def _level(left: Box, right: Box) -> str:
    return _path(f"M{left.x + left.width} {left.center} H{right.x - 3}")


def _elbow(left: Box, right: Box) -> str:
    """An arrow to the upper or lower third of the right box's edge."""
    between = (left.x + left.width + right.x) // 2
    at = right.center + (10 if left.center > right.center else -10)
    return _path(f"M{left.x + left.width} {left.center} H{between} V{at} H{right.x - 3}")


def _line(x: int, y: int, to_x: int, to_y: int, color: str, width: float = 1.5) -> str:
    end = to_y + (-3 if to_y > y else 3)
    return _path(f"M{x} {y} L{to_x} {end}", color, width)


def _path(steps: str, color: str = INK, width: float = 1.5) -> str:
    head = "here" if color == VERMILION else "arrow"
    return f'<path d="{steps}" fill="none" stroke="{color}" stroke-width="{width}" marker-end="url(#{head})"/>\n'


def _rectangle(box: Box, fill: str, opacity: float = 1, edge: str = "none", width: float = 1.5) -> str:
    radius = min(8, box.height // 4)
    return (
        f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="{radius}" fill="{fill}" '
        f'fill-opacity="{opacity:g}" stroke="{edge}" stroke-width="{width:g}"/>\n'
    )


def _text(x: int, y: int, text: str, color: str, size: int, anchor: str = "middle", weight: int = 400) -> str:
    return (
        f'<text x="{x}" y="{y}" fill="{color}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{html.escape(text)}</text>\n"
    )


def _svg(width: int, height: int, title: str, description: str, parts: Iterable[str]) -> str:
    heads = "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="5" refY="4" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 L8 4 L0 8 Z" fill="{color}"/></marker>\n'
        for name, color in (("arrow", INK), ("here", VERMILION))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-labelledby="title description" font-family="{FONT}">\n'
        f'<title id="title">{html.escape(title)}</title>\n<desc id="description">{html.escape(description)}</desc>\n'
        f"<defs>\n{heads}</defs>\n{''.join(parts)}</svg>\n"
    )


def main() -> None:
    (IMAGES / "pt").mkdir(exist_ok=True)
    for name, content in pictures().items():
        (IMAGES / name).write_text(content, encoding="utf-8")
        print(f"docs/images/{name}")


if __name__ == "__main__":
    main()
