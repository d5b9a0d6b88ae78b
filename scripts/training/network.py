"""The article's network: two hidden layers, and ten neurons that say which digit an image shows."""

import keras


def build(pixels, first_layer_neurons, second_layer_neurons, learning_rate):
    """The network for images of so many pixels, ready to be trained with `fit`."""
    model = keras.Sequential(
        [
            keras.Input(shape=(pixels,)),
            keras.layers.Dense(first_layer_neurons, activation="relu"),
            keras.layers.Dense(second_layer_neurons, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.RMSprop(learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model
