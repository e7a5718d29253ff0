import tensorflow.compat.v1 as tf

tf.summary.tensor_summary("conv1/weights", kernel)
tf.summary.tensor_summary("conv1/activation", conv1)
tensors = tf.summary.merge_all()
writer = tf.summary.FileWriter("LOGDIR", session.graph)
writer.add_summary(session.run(tensors, feed_dict), step)
writer.close()  # at the end, otherwise the last values are lost
