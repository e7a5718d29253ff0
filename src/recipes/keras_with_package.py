import convscope.keras

recorder = convscope.keras.Recorder("LOGDIR", probe=x[:4])
model.fit(x, y, callbacks=[recorder])  # beside the callbacks that you have
