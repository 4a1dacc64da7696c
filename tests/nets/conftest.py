"""Networks are tested on one thread, as the studio runs them."""

import torch

torch.set_num_threads(1)
