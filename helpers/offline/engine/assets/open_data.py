"""Tables that stand at public addresses, and that many examples read: what the offline backend puts in their place.

Iris and Diabetes are the data themselves, which scikit-learn has with it, and MNIST's tables are made of the bundled
files. Titanic, heart disease and credit cards are stand-ins: generated rows, as many as the real file has, with its
columns and its kinds of values. A column depends on others there, so that a model finds something to learn; what it
learns says nothing about the world.
"""

import csv
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random

from helpers.offline.engine.workspace.folder import REPOSITORY

BUNDLED = REPOSITORY / "data" / "mnist"
EXAMPLES = "azuremlexamples.blob.core.windows.net/datasets/"
OPEN = "azureopendatastorage.blob.core.windows.net/"


def iris(target: Path) -> None:
    """150 flowers of three species."""
    from sklearn.datasets import load_iris

    data = load_iris()
    rows = ([*values, data.target_names[kind]] for values, kind in zip(data.data.tolist(), data.target, strict=True))
    _write(target, ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"], rows)


def diabetes(target: Path) -> None:
    """442 patients: ten measures, and Y, how far the disease had come a year later."""
    from sklearn.datasets import load_diabetes

    frame = load_diabetes(scaled=False, as_frame=True).frame.rename(columns=str.upper).rename(columns={"TARGET": "Y"})
    frame.astype(dict.fromkeys(("AGE", "SEX", "S1", "S6", "Y"), "int64")).to_parquet(target)


def mnist_train(target: Path) -> None:
    _digits(target, "train")


def mnist_test(target: Path) -> None:
    _digits(target, "t10k")


def titanic(target: Path) -> None:
    """A stand-in: 891 passengers, and who of them survived."""
    names = [
        "PassengerId",
        "Survived",
        "Pclass",
        "Name",
        "Sex",
        "Age",
        "SibSp",
        "Parch",
        "Ticket",
        "Fare",
        "Cabin",
        "Embarked",
    ]
    _write(target, names, (_passenger(Random(number), number) for number in range(1, 892)))


def heart(target: Path) -> None:
    """A stand-in: 303 patients, and who of them has a disease of the heart."""
    names = [
        "age",
        "sex",
        "cp",
        "trestbps",
        "chol",
        "fbs",
        "restecg",
        "thalach",
        "exang",
        "oldpeak",
        "slope",
        "ca",
        "thal",
        "target",
    ]
    _write(target, names, (_patient(Random(number)) for number in range(303)))


def credit_card(target: Path) -> None:
    """A stand-in: 30,000 holders of credit cards, and who of them will not pay. It has two headings."""
    months = [f"PAY_{month}" for month in (0, 2, 3, 4, 5, 6)]
    amounts = [f"{what}_AMT{month}" for what in ("BILL", "PAY") for month in range(1, 7)]
    names = ["ID", "LIMIT_BAL", "SEX", "EDUCATION", "MARRIAGE", "AGE", *months, *amounts, "default payment next month"]
    holders = (_holder(Random(number), number) for number in range(1, 30_001))
    _write(target, ["", *(f"X{place}" for place in range(1, 24)), "Y"], [names, *holders])


MAKERS: dict[str, Callable[[Path], None]] = {
    f"{EXAMPLES}iris.csv": iris,
    f"{EXAMPLES}titanic.csv": titanic,
    "dprepdata.blob.core.windows.net/demo/Titanic.csv": titanic,
    "azuremlexampledata.blob.core.windows.net/data/heart-disease-uci/data/heart.csv": heart,
    f"{EXAMPLES}credit_card/default_of_credit_card_clients.csv": credit_card,
    f"{EXAMPLES}credit_card/default of credit card clients.csv": credit_card,
    f"{OPEN}mlsamples/diabetes/diabetes.parquet": diabetes,
    f"{OPEN}mnist/processed/train.parquet": mnist_train,
    f"{OPEN}mnist/processed/test.parquet": mnist_test,
}


def _write(target: Path, names: list[str], rows: Iterable[list]) -> None:
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)


def _digits(target: Path, part: str) -> None:
    """The pixels of each image, columns 0 to 783, and its label."""
    import pandas as pd

    from helpers import mnist

    images = mnist.read_idx(BUNDLED / f"{part}-images-idx3-ubyte.gz")
    labels = mnist.read_idx(BUNDLED / f"{part}-labels-idx1-ubyte.gz")
    frame = pd.DataFrame(images.reshape(len(images), -1).astype("int64"))
    frame.columns = frame.columns.astype(str)
    frame["label"] = labels.astype("int64")
    frame.to_parquet(target)


def _passenger(chance: Random, number: int) -> list:
    grade = chance.choices((1, 2, 3), (216, 184, 491))[0]
    woman = chance.random() < 0.35
    age = min(80, max(1, round(chance.gauss(30, 14)))) if chance.random() < 0.8 else ""
    survived = chance.random() < _share(0.4 + 2.5 * woman - 0.9 * grade - 0.015 * (age or 30))
    relatives = [chance.choices((0, 1, 2, 3), weights)[0] for weights in ((68, 23, 3, 6), (76, 13, 9, 2))]
    fare = round(chance.lognormvariate(5.0 - grade, 0.4), 4)
    cabin = f"{chance.choice('ABCDE')}{chance.randint(1, 120)}" if chance.random() < 0.7 - 0.22 * grade else ""
    port = chance.choices("SCQ", (72, 19, 9))[0]
    sex = "female" if woman else "male"
    known = [number, int(survived), grade, f"Passenger {number}", sex, age]
    return [*known, *relatives, chance.randint(1_000, 400_000), fare, cabin, port]


def _patient(chance: Random) -> list:
    age, man, pain = (
        chance.randint(29, 77),
        int(chance.random() < 0.68),
        chance.choices((1, 2, 3, 4), (7, 17, 28, 48))[0],
    )
    vessels, drop = chance.choices((0, 1, 2, 3), (58, 22, 13, 7))[0], round(abs(chance.gauss(0, 1.5)), 1)
    thal = chance.choices(("normal", "fixed", "reversible"), (55, 6, 39))[0]
    score = 0.03 * (age - 55) + 0.8 * man + 0.7 * (pain - 3) + 1.2 * vessels + 0.5 * drop + 1.2 * (thal != "normal")
    measured = [
        chance.randint(94, 200),
        chance.randint(126, 417),
        int(chance.random() < 0.15),
        chance.choice((0, 1, 2)),
    ]
    pulse, angina, slope = chance.randint(90, 202), int(chance.random() < 0.33), chance.choice((1, 2, 3))
    ill = int(chance.random() < _share(score - 3))
    return [age, man, pain, *measured, pulse, angina, drop, slope, vessels, thal, ill]


def _holder(chance: Random, number: int) -> list:
    limit, late = 10_000 * chance.randint(1, 80), chance.choices((-1, 0, 1, 2), (30, 45, 13, 12))[0]
    months = [late, *(max(-2, late + chance.choice((-1, 0, 0, 0, 1))) for _ in range(5))]
    bills = [round(limit * chance.random() * 0.6) for _ in range(6)]
    paid = [round(bill * chance.random() * 0.3) for bill in bills]
    known = [chance.choices((1, 2), (40, 60))[0], chance.choices((1, 2, 3, 4), (35, 47, 16, 2))[0]]
    known += [chance.choices((1, 2, 3), (45, 53, 2))[0], chance.randint(21, 75)]
    fails = int(chance.random() < _share(-1.6 + 0.8 * late - limit / 1_000_000))
    return [number, limit, *known, *months, *bills, *paid, fails]


def _share(score: float) -> float:
    return 1 / (1 + math.exp(-score))
