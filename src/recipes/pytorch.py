import torch
from torch.utils.tensorboard import SummaryWriter

writer = SummaryWriter("LOGDIR")
convolutions = [
    (name, module)
    for name, module in model.named_modules()
    if isinstance(module, torch.nn.modules.conv._ConvNd)
]


def log_tensors(probe, step):
    def log_output(name):
        return lambda module, inputs, output: writer.add_tensor(f"{name}.activation", output, step)

    hooks = [module.register_forward_hook(log_output(name)) for name, module in convolutions]
    was_training = model.training
    with torch.no_grad():
        model.eval()(probe)
        model.train(was_training)
        for name, module in convolutions:
            writer.add_tensor(f"{name}.weight", module.weight, step)
    for hook in hooks:
        hook.remove()


for epoch in range(3):
    train(model)  # your training loop
    log_tensors(images[:4], epoch)
writer.close()  # otherwise the last values are lost
