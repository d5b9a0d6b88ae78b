"""The third step of the pipeline: measure the model on the test images; one that is not good enough goes no further."""

import argparse
import json
import os
from pathlib import Path

import dataset
import mnist
from quiet import quietly


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-folder", type=Path, required=True, help="holds the four MNIST files")
    parser.add_argument("--model-folder", type=Path, required=True, help="holds model/model.keras")
    parser.add_argument("--least-accuracy", type=float, required=True, help="a model that has less is refused")
    parser.add_argument("--output-folder", type=Path, required=True, help="gets evaluation.json")
    args = parser.parse_args()

    data = mnist.load(args.data_folder)
    images, labels = dataset.flat((data.test_images, data.test_labels))
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with quietly():
        import keras
        import tracking
    model = keras.saving.load_model(args.model_folder / "model" / "model.keras", safe_mode=True)
    measured = model.evaluate(images, labels, batch_size=1000, verbose=0, return_dict=True)
    accuracy = float(measured["accuracy"])
    tracking.log({"Test accuracy": accuracy})
    print(f"Accuracy on {len(labels):,} test images: {accuracy:.4f}")
    if accuracy < args.least_accuracy:
        raise ValueError(f"the accuracy is {accuracy:.4f}, and has to be {args.least_accuracy} at least")
    note = {"accuracy": accuracy, "images": len(labels)}
    (args.output_folder / "evaluation.json").write_text(json.dumps(note))


if __name__ == "__main__":
    main()
