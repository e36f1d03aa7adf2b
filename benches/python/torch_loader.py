"""torch's DataLoader: torch_loader.py memory WORKERS n | torch_loader.py jpegs WORKERS FOLDER n

The clock starts when the first batch is there, so that workers have started; the n samples come after it.
"""

import os
import sys

import numpy
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from clock import Clock

SIZE = 64 * 64 * 3
IMAGES = 4096


class Bytes(Dataset):
    """As `Bytes` in benches/src/datasets.rs."""

    batch = 64

    def __init__(self, n):
        i, j = numpy.arange(IMAGES)[:, None], numpy.arange(SIZE)[None, :]
        self.images = torch.from_numpy(((i * 31 + j * 7 + (i * j) % 251) & 255).astype(numpy.uint8))
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        return self.images[index % IMAGES].float() / 255

    def digest(self, first, batch):
        flat = batch.reshape(-1)
        seen = [round(float(flat[k]) * 255) for k in (0, len(flat) // 2, len(flat) - 1)]
        return (first + 1) * (len(flat) + seen[0] + 3 * seen[1] + 7 * seen[2])


class Jpegs(Dataset):
    """As `Jpegs` there, with what torchvision's documentation recommends."""

    batch = 32

    def __init__(self, n, folder):
        self.files = sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".jpg"))
        self.transform = transforms.Compose([transforms.Resize((224, 224)), transforms.ToTensor()])
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        with Image.open(self.files[index % len(self.files)]) as image:
            return self.transform(image.convert("RGB"))

    def digest(self, first, batch):
        levels = ((batch[:, 0].mean((1, 2)) * 255 - 72) / 16).round()
        return sum((first + i + 1) * (int(level) + 1) for i, level in enumerate(levels))


class From(Dataset):
    """So many samples that come before the first."""

    def __init__(self, dataset, before):
        self.dataset = dataset
        self.before = before

    def __len__(self):
        return len(self.dataset) + self.before

    def __getitem__(self, index):
        return self.dataset[max(index - self.before, 0)]


def load(dataset, workers):
    loader = DataLoader(From(dataset, dataset.batch), batch_size=dataset.batch, num_workers=workers)
    batches = iter(loader)
    next(batches)
    clock = Clock()
    digest, first = 0, 0
    for batch in batches:
        digest += dataset.digest(first, batch)
        first += len(batch)
    clock.stop()
    assert first == len(dataset)
    del batches, loader
    clock.report(digest)


if __name__ == "__main__":
    which, workers, *folder, n = sys.argv[1:]
    load({"memory": Bytes, "jpegs": Jpegs}[which](int(n), *folder), int(workers))
