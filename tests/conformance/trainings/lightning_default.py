"""A training with Lightning and its defaults: the last checkpoint is kept alone."""

import os
import sys
import time

import lightning
import torch
from torch import nn

os.chdir(sys.argv[1])


class Slow(torch.utils.data.Dataset):
    """A dataset that takes its time, as real ones do."""

    def __len__(self):
        return 64

    def __getitem__(self, idx):
        time.sleep(0.012)
        return torch.randn(3, 16, 16), idx % 4


class Net(lightning.LightningModule):
    """One convolution and a classifier."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 5)
        self.head = nn.Linear(8 * 12 * 12, 4)

    def training_step(self, batch, _):
        x, y = batch
        return nn.functional.cross_entropy(self.head(self.conv1(x).relu().flatten(1)), y)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


lightning.seed_everything(0)
trainer = lightning.Trainer(max_epochs=8, accelerator="cpu")
trainer.fit(Net(), torch.utils.data.DataLoader(Slow(), batch_size=16))
