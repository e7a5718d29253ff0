"""The ConvScope tab of TensorBoard: see ``plugin``. Imports nothing, so that importing it is
fast."""
