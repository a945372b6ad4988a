"""imgen's generator and discriminator in torch, with the same keys, and their losses."""
import torch
import torch.nn.functional as F
from torch import nn

FEATURES = 128


def levels(config):
    """Sizes and channels of the levels, the largest first."""
    sizes = [config["sample_size"] // config["patch_size"]]
    while sizes[-1] % 2 == 0 and sizes[-1] // 2 >= 4:
        sizes.append(sizes[-1] // 2)
    widths = [min(config["max_channels"], config["base_channels"] << i) for i in range(len(sizes))]
    return sizes, widths


class Block(nn.Module):
    def __init__(self, channels, latent=None):
        super().__init__()
        if latent:
            self.style = nn.Linear(latent, 2 * channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x, latent=None):
        h = self.conv1(F.leaky_relu(x, 0.2))
        if latent is not None:
            scale, shift = self.style(latent)[:, :, None, None].chunk(2, 1)
            h = h * (1 + scale) + shift
        return x + self.conv2(F.leaky_relu(h, 0.2))


class Level(nn.Module):
    def __init__(self, channels, layers, following, latent=None):
        super().__init__()
        self.blocks = nn.ModuleList(Block(channels, latent) for _ in range(layers))
        if following not in (None, channels):
            self.transition = nn.Conv2d(channels, following, 1, bias=False)

    def change(self, x):
        return self.transition(x) if hasattr(self, "transition") else x

    def forward(self, x, latent=None):
        for block in self.blocks:
            x = block(x, latent)
        return x


class Generator(nn.Module):
    def __init__(self, config):
        super().__init__()
        sizes, widths = levels(config)
        self.patch, latent, classes = config["patch_size"], config["latent_size"], config["classes"]
        if classes:
            self.class_embedding = nn.Embedding(classes, latent)
        self.input = nn.Linear(latent * (2 if classes else 1), sizes[-1]**2 * widths[-1])
        self.smallest = (sizes[-1], sizes[-1], widths[-1])
        order = list(reversed(range(len(sizes))))
        self.levels = nn.ModuleList(
            Level(widths[i], config["layers_per_block"], widths[i - 1] if i else None,
                  latent * (2 if classes else 1))
            for i in order)
        self.output = nn.Conv2d(widths[0], config["channels"] * self.patch**2, 3, padding=1)

    def forward(self, z, labels):
        if hasattr(self, "class_embedding"):
            z = torch.cat([z, self.class_embedding(labels)], 1)
        h = self.input(z).unflatten(1, self.smallest).permute(0, 3, 1, 2)
        for level in self.levels[:-1]:
            h = F.interpolate(level.change(level(h, z)), scale_factor=2)
        return F.pixel_shuffle(self.output(F.leaky_relu(self.levels[-1](h, z), 0.2)), self.patch)


class Discriminator(nn.Module):
    def __init__(self, config):
        super().__init__()
        sizes, widths = levels(config)
        self.patch = config["patch_size"]
        self.input = nn.Conv2d(config["channels"] * self.patch**2, widths[0], 3, padding=1)
        self.levels = nn.ModuleList(
            Level(width, config["layers_per_block"], following)
            for width, following in zip(widths, [*widths[1:], None]))
        self.basis = nn.Parameter(torch.randn(sizes[-1], sizes[-1], widths[-1]))
        self.features = nn.Linear(widths[-1], FEATURES)
        self.output = nn.Linear(FEATURES, 1)
        if config["classes"]:
            self.class_embedding = nn.Embedding(config["classes"], FEATURES)
            self.classifier = nn.Linear(FEATURES, config["classes"])

    def forward(self, x, labels):
        return self.verdict(x, labels)[0]

    def verdict(self, x, labels):
        h = self.input(F.pixel_unshuffle(x, self.patch))
        for level in self.levels[:-1]:
            h = level.change(F.avg_pool2d(level(h), 2))
        h = self.levels[-1](h)
        found = self.features((F.leaky_relu(h, 0.2) * self.basis.permute(2, 0, 1)).sum((2, 3)))
        logits = self.output(found)[:, 0]
        if not hasattr(self, "class_embedding"):
            return logits, None
        logits = logits + (found * self.class_embedding(labels)).sum(1) / FEATURES**0.5
        return logits, self.classifier(F.leaky_relu(found, 0.2))


def steepness(logits, x):
    """Squared norm of the gradient of each picture's logit."""
    gradient, = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return gradient.float().square().sum((1, 2, 3))


def discriminator_loss(
        loss, penalty, gamma, class_weight, discriminator, real, fake, labels, mix=None):
    """The adversarial loss, and with the weighted penalty and the classes of real pictures."""
    n = real.shape[0]
    x = torch.cat([real, fake]).requires_grad_(penalty in ("r1", "r1+r2"))
    logits, classes = discriminator.verdict(x, torch.cat([labels, labels]))
    on_real, on_fake = logits[:n].float(), logits[n:].float()
    adversarial = {
        "relativistic": lambda: F.softplus(on_fake - on_real).mean(),
        "non-saturating": lambda: F.softplus(-on_real).mean() + F.softplus(on_fake).mean(),
        "hinge": lambda: F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean(),
        "wasserstein": lambda: (on_fake - on_real).mean(),
    }[loss]()
    total = adversarial
    if penalty in ("r1", "r1+r2"):
        norms = steepness(logits, x)
        total = total + gamma / 2 * (norms[:n] if penalty == "r1" else norms).sum() / n
    elif penalty == "wgan-gp":
        between = (real + mix * (fake - real)).detach().requires_grad_()
        norms = steepness(discriminator(between, labels), between)
        total = total + gamma * ((norms + 1e-12).sqrt() - 1).square().mean()
    if classes is not None:
        total = total + class_weight * F.cross_entropy(classes[:n], labels)
    return adversarial, total


def generator_loss(loss, class_weight, discriminator, real, fake, labels):
    """The adversarial loss with the classes of made pictures."""
    on_real = discriminator(real, labels)
    on_fake, classes = discriminator.verdict(fake, labels)
    total = {
        "relativistic": lambda: F.softplus(on_real - on_fake).mean(),
        "non-saturating": lambda: F.softplus(-on_fake).mean(),
        "hinge": lambda: -on_fake.mean(),
        "wasserstein": lambda: -on_fake.mean(),
    }[loss]()
    if classes is not None:
        total = total + class_weight * F.cross_entropy(classes, labels)
    return total
