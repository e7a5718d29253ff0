"""The ConvScope tab of TensorBoard: see ``plugin``. Imports nothing, so that it costs nothing."""
