"""The built-in models: functions of the shape of an example and the number of classes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.errors import InputError


def mlp(input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Two hidden layers of 100 units, like the fully connected model of the MNIST-1D paper."""
    inputs = torch.Size(input_shape).numel()
    return nn.Sequential(
        nn.Flatten(), nn.Linear(inputs, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, classes)
    )


def cnn(input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Three strided convolutions of 25 channels and a linear layer, like the MNIST-1D paper's; in 1-D or 2-D."""
    convolution = nn.Conv1d if len(input_shape) == 2 else nn.Conv2d
    body = nn.Sequential(
        convolution(input_shape[0], 25, kernel_size=5, stride=2, padding=1),
        nn.ReLU(),
        convolution(25, 25, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        convolution(25, 25, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
    )
    with torch.no_grad():
        features = body(torch.zeros(1, *input_shape)).shape[1]
    return nn.Sequential(body, nn.Linear(features, classes))


class Transformer(nn.Module):
    """A small pre-norm transformer over patches: width 32, 4 heads, 2 layers, learned positions, mean pooling."""

    def __init__(self, input_shape: tuple[int, ...], classes: int, width: int = 32) -> None:
        super().__init__()
        patch = 2 if min(input_shape[1:]) < 16 else 4
        embedding = nn.Conv1d if len(input_shape) == 2 else nn.Conv2d
        self.embed = embedding(input_shape[0], width, kernel_size=patch, stride=patch)
        tokens = torch.Size(size // patch for size in input_shape[1:]).numel()
        self.positions = nn.Parameter(0.02 * torch.randn(tokens, width))
        layer = nn.TransformerEncoderLayer(
            width, nhead=4, dim_feedforward=2 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, num_layers=2, norm=nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """x (rows, channels, ...) -> class scores (rows, classes)."""
        tokens = self.embed(x).flatten(2).transpose(1, 2) + self.positions
        scores: Tensor = self.head(self.encoder(tokens).mean(1))
        return scores


def resnet18(input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Torchvision's ResNet-18 from scratch, with the usual stem for small images: 3 x 3, stride 1, no pooling."""
    if len(input_shape) != 3:
        raise InputError(f"model resnet18 needs images, but the examples have shape {input_shape}: try --model cnn")
    import torchvision.models  # takes seconds, which the other models need not wait for

    model: nn.Module = torchvision.models.resnet18(num_classes=classes)
    model.conv1 = nn.Conv2d(input_shape[0], 64, kernel_size=3, stride=1, padding=1, bias=False)
    model.maxpool = nn.Identity()
    return model
