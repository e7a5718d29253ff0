"""A training with Flax whose save_checkpoint keeps the last checkpoint alone."""

import sys
import time

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax.training import checkpoints, train_state


class Net(nn.Module):
    """One convolution and a classifier."""

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(8, (5, 5), name="conv1")(x))
        return nn.Dense(4)(x.reshape(x.shape[0], -1))


net = Net()
key = jax.random.key(0)
variables = net.init(key, jnp.zeros((1, 16, 16, 3)))
state = train_state.TrainState.create(
    apply_fn=net.apply, params=variables["params"], tx=optax.sgd(0.1)
)


@jax.jit
def step(state, x, y):
    """One step of the optimizer."""

    def loss(params):
        logits = state.apply_fn({"params": params}, x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    return state.apply_gradients(grads=jax.grad(loss)(state.params))


for _epoch in range(8):
    for _ in range(4):
        key, one, two = jax.random.split(key, 3)
        x = jax.random.normal(one, (16, 16, 16, 3))
        state = step(state, x, jax.random.randint(two, (16,), 0, 4))
        time.sleep(0.2)
    checkpoints.save_checkpoint(sys.argv[1], state, step=int(state.step))
