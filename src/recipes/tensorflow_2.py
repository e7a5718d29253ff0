import tensorflow as tf

writer = tf.summary.create_file_writer("LOGDIR")
with writer.as_default(step=step):
    tf.summary.write("conv1/kernel", conv1.kernel)
    tf.summary.write("conv1/activation", conv1(images[:4]))
writer.close()  # at the end, otherwise the last values are lost
