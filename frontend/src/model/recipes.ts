/** The few lines that make a program log what ConvScope can show. */

export interface Recipe {
  name: string;
  code: string;
}

export const RECIPES: readonly Recipe[] = [
  {
    name: 'Keras',
    code: `class LogKernels(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        with writer.as_default():
            for layer in self.model.layers:
                if hasattr(layer, "kernel"):
                    tf.summary.write(f"{layer.name}/kernel", layer.kernel, step=epoch)

writer = tf.summary.create_file_writer("logs/train")
model.fit(x, y, callbacks=[LogKernels()])`,
  },
  {
    name: 'TensorFlow 2',
    code: `writer = tf.summary.create_file_writer("logs/train")
with writer.as_default():
    tf.summary.write("conv1/kernel", layer.kernel, step=step)
    tf.summary.write("conv1/activation", layer(images), step=step)`,
  },
  {
    name: 'TensorFlow 1',
    code: `tf.compat.v1.summary.tensor_summary("conv1/weights", kernel)
tf.compat.v1.summary.tensor_summary("conv1/activation", conv1)
merged = tf.compat.v1.summary.merge_all()
writer = tf.compat.v1.summary.FileWriter("logs/train", sess.graph)
writer.add_summary(sess.run(merged), global_step)`,
  },
  {
    name: 'PyTorch',
    code: `from torch.utils.tensorboard import SummaryWriter
writer = SummaryWriter("logs/train")
writer.add_tensor("conv1.weight", model.conv1.weight, step)
writer.add_tensor("conv1.activation", activation, step)`,
  },
];
