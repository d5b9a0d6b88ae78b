"""Train a network of two hidden layers on MNIST with Keras, as an Azure ML job or by hand.

By hand, from the repository:  python scripts/training/keras_mnist.py --data-folder data/mnist

The environment variable KERAS_BACKEND selects what Keras computes with: tensorflow (default), jax or torch.

network.py has the network, and this script what is done with it, from top to bottom. The modules beside it can be
left unread at first. They read the command line (arguments.py) and the images (dataset.py), put these in order
(batches.py), have Keras train fast (fast_epochs.py), on several nodes (distribution.py), and go on after an
interruption (checkpoint.py). What is measured goes to tracking.py, of which v2/ has another one, what is made to
outputs.py.
"""

import math
import os
import sys
import time

import arguments
import checkpoint
import dataset
import distribution
import outputs
from batches import Batches
from quiet import quietly


def main():
    sys.stdout.reconfigure(line_buffering=True)  # a line is in the streamed log as soon as it is printed

    # Arguments and images. What is wrong with them is refused here, before anything that takes long.
    args = arguments.parse()
    with arguments.refusing():
        world = distribution.prepare(os.environ, args.batch_size)  # the processes that train together, mostly one
        training, validation, test = dataset.load(args.data_folder, args.validation_split, args.seed)
        resumed = checkpoint.read(args.resume_from, args) if args.resume_from else None
        (args.output_folder / "model").mkdir(parents=True, exist_ok=True)
        distribution.meet(world, args.join_seconds)
    for name, (_, labels) in {"Training": training, "Validation": validation, "Test": test}.items():
        print(f"{name} set: {len(labels):,} images")

    with quietly():  # it takes seconds, so it comes after all that could be refused
        import keras
        import network
        import tracking

    def build():
        pixels, rate = training[0][0].size, arguments.learning_rate(args)
        model = network.build(pixels, args.first_layer_neurons, args.second_layer_neurons, rate)
        if not model.built:  # as a subclass of keras.Model is not, which has its weights from its first batch on
            model(keras.KerasTensor((None, pixels)))
        return model

    with distribution.together(world, args.join_seconds, args.batch_size) as world:
        # The network. What it computes on is told since a GPU that is not found is no error to Keras.
        keras.utils.set_random_seed(args.seed)
        model = build()
        print(outputs.computed_with(model))
        try:
            history = fit(model, training, validation, args, world, resumed)
            distribution.tell_weights(world, model)
            if world.leads:
                evaluate_and_save(distribution.own_copy(world, model, build), test, history, args)
        finally:
            if world.leads:
                tracking.flush()


def fit(model, training, validation, args, world, resumed):
    """Train the model; after each epoch, log and print its figures and write a checkpoint.

    Returns the history: for each figure, a list. Exits with code 1 when the loss is no longer a number.
    """
    import keras
    import tracking
    from fast_epochs import fast_epochs

    batches = Batches(*training, args.batch_size, args.seed, args.dataset_repeat, world.shares, world.mine)
    distribution.tell_shares(world, batches, arguments.learning_rate(args))
    history, epochs_before = checkpoint.resume(resumed, model, args)
    began = 0.0

    def before_epoch(epoch, logs):
        nonlocal began
        batches.epoch, began = epoch, time.perf_counter()

    def after_epoch(epoch, logs):
        step = epoch + 1
        for name, value in logs.items():
            history.setdefault(name, []).append(float(value))
        if not math.isfinite(logs["loss"]):
            sys.exit(f"The training diverged: its loss is {logs['loss']}. Try a smaller --learning-rate.")
        if not world.leads:
            return
        tracking.log({"Loss": logs["val_loss"], "Accuracy": logs["val_accuracy"]}, step)
        tracking.log({"Training loss": logs["loss"], "Training accuracy": logs["accuracy"]}, step)
        print(
            f"Epoch {step:2}/{args.epochs}: loss {logs['val_loss']:.4f}, accuracy {logs['val_accuracy']:.4f} "
            f"(training {logs['loss']:.4f}, {logs['accuracy']:.4f}), {time.perf_counter() - began:.1f} s"
        )
        checkpoint.write(args.output_folder / "checkpoints", model, step, history, args)

    part_of_validation = world.part_of(*dataset.flat(validation))
    with fast_epochs(model, batches, part_of_validation, world) as (images_to_fit, images_to_validate):
        model.fit(
            images_to_fit,
            validation_data=images_to_validate,
            initial_epoch=epochs_before,
            epochs=args.epochs,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=before_epoch, on_epoch_end=after_epoch)],
            shuffle=False,  # they are in order already
            verbose=0,
        )
    return history


def evaluate_and_save(model, test, history, args):
    """Measure the trained model on images that had no part in its training, and keep both."""
    import tracking

    images, labels = dataset.flat(test)
    final = model.evaluate(images, labels, batch_size=1000, verbose=0, return_dict=True)
    print(f"Final test loss {final['loss']:.4f}, final test accuracy {final['accuracy']:.4f}")
    tracking.log({"Final test loss": final["loss"], "Final test accuracy": final["accuracy"]})
    outputs.save(model, history, final, args)
    tracking.log_figure(outputs.curve(history), args.output_folder / "Accuracy vs Loss.png")


if __name__ == "__main__":
    main()
