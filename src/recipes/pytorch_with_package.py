import convscope
import convscope.torch

with convscope.Recorder("LOGDIR") as recorder:
    with convscope.torch.watch(model, recorder, probe=images[:4]):
        train(model)  # your training loop, as it is
