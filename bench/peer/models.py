# SPDX-License-Identifier: MIT
"""What follows a backward pass, and mixed batches of images."""
import math

import torch

from forms import compiled, timm, without_gradients, work

try:
    from torchvision.transforms import v2
except ImportError:
    v2 = None

DECAY, MOMENTUM, RATE = 0.9999, 0.9, 1e-5
NO_LIMIT = 1e30


def model_of(tensors):
    return torch.nn.ParameterList(torch.nn.Parameter(t.detach()) for t in tensors)


# ---- averages, norms, clipping ------------------------------------------------------------------------------------

@work(r"^tensors/ema/(?P<narrow>bfloat16/)?resnet50$")
def ema(a, match):
    shadow, parameters = a["shadow"], a["parameters"]

    def each(shadow, parameters):
        for s, p in zip(shadow, parameters):
            s.lerp_(p.float(), 1 - DECAY)  # no copy of what is float already

    def foreach():
        torch._foreach_lerp_(shadow, parameters, 1 - DECAY)

    faster = compiled(each)
    forms = {"torch": lambda: each(shadow, parameters), "torch.compile": lambda: faster(shadow, parameters)}
    if not match["narrow"]:
        forms["torch.foreach"] = foreach
        if timm:
            model = model_of(parameters)
            average = timm.utils.ModelEmaV3(model, decay=DECAY, foreach=True)
            forms["timm"] = lambda: average.update(model)
    return without_gradients(forms)


def norm_of(gradients):
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))


@work(r"^tensors/norm/")
def norm(a, match):
    faster = compiled(norm_of)
    return without_gradients({"torch": lambda: torch.nn.utils.get_total_norm(a["gradients"]).item(),
                              "torch.compile": lambda: faster(a["gradients"]).item()})


def with_gradients(parameters, gradients):
    model = list(model_of(parameters))
    for p, g in zip(model, gradients):
        p.grad = g
    return model


def scale_to(gradients):
    norm = norm_of(gradients)
    torch._foreach_mul_(gradients, torch.clamp(NO_LIMIT / (norm + 1e-6), max=1.0))
    return norm


@work(r"^tensors/clip/")
def clip(a, match):
    model = with_gradients([torch.empty_like(g) for g in a["gradients"]], a["gradients"])
    clip_grad_norm = torch.nn.utils.clip_grad_norm_
    faster = compiled(scale_to)
    return without_gradients({"torch": lambda: clip_grad_norm(model, NO_LIMIT, foreach=False).item(),
                              "torch.foreach": lambda: clip_grad_norm(model, NO_LIMIT, foreach=True).item(),
                              "torch.compile": lambda: faster(a["gradients"]).item()})


# ---- the whole step -----------------------------------------------------------------------------------------------

def scales():
    """1 / 0.5, 1 / 2, and so on: gradients stay what they were, and every step writes them."""
    while True:
        yield 2.0
        yield 0.5


@work(r"^tensors/step/")
def step(a, match):
    p, g, m, s = a["parameters"], a["gradients"], a["momenta"], a["shadow"]
    model = with_gradients(p, g)

    def with_optimiser(optimiser, foreach):
        scale = scales()

        def run():
            torch._foreach_mul_(g, next(scale))
            norm = torch.nn.utils.clip_grad_norm_(model, NO_LIMIT, foreach=foreach)
            if math.isfinite(norm):
                optimiser.step()
            if foreach:
                torch._foreach_lerp_(s, p, 1 - DECAY)
            else:
                for shadow, parameter in zip(s, p):
                    shadow.lerp_(parameter, 1 - DECAY)
            return norm.item()
        return run

    def optimiser(**kind):
        return torch.optim.SGD(model, lr=RATE, momentum=MOMENTUM, **kind)

    def chain(p, g, m, s, scale):  # the coefficient goes with the scale: as few sweeps as can be
        norm = norm_of(g) * scale
        factor = scale * torch.clamp(NO_LIMIT / (norm + 1e-6), max=1.0)
        for i in range(len(p)):
            m[i].mul_(MOMENTUM).add_(g[i] * factor)
            p[i].add_(m[i], alpha=-RATE)
            s[i].lerp_(p[i], 1 - DECAY)
        return norm

    faster, scale = compiled(chain), scales()
    return without_gradients({"torch": with_optimiser(optimiser(foreach=False), False),
                              "torch.foreach": with_optimiser(optimiser(foreach=True), True),
                              "torch.fused": with_optimiser(optimiser(fused=True), True),
                              "torch.compile": lambda: faster(p, g, m, s, torch.tensor(next(scale))).item()})


# ---- samples ------------------------------------------------------------------------------------------------------

def lerp(x, y, weight, partner):
    torch.lerp(x.index_select(0, partner), x, weight, out=y)


def flipped(x, y):
    torch.add(x * 0.3, x.flip(0), alpha=0.7, out=y)


@work(r"^samples/(?P<kind>mixup|cutmix)(?P<in_place>/in_place)?(?P<pairs>/pairs)?/(?P<shape>[\dx]+)$")
def mixing(a, match):
    x, y = a["images"], a.get("mixed")
    labels = torch.arange(x.shape[0])
    images = x.view([int(n) for n in match["shape"].split("x")])
    if match["in_place"]:  # timm's way; in the mode elem each image has a λ of its own
        if not timm:
            return {}
        mix = timm.data.Mixup(mixup_alpha=0.2, mode="batch" if match["pairs"] else "elem", num_classes=1000)
        return without_gradients({"timm": lambda: mix(images, labels) and 0})
    if match["kind"] == "cutmix":
        cut = v2 and v2.CutMix(alpha=1.0, num_classes=1000)
        return without_gradients({"torchvision": cut and (lambda: cut(images, labels) and 0)})
    if match["pairs"]:
        mix = v2 and v2.MixUp(alpha=0.2, num_classes=1000)
        faster = compiled(flipped)
        return without_gradients({"torch": lambda: flipped(x, y), "torch.compile": lambda: faster(x, y),
                                  "torchvision": mix and (lambda: mix(images, labels) and 0)})
    weight = a["lambda"].view(-1, 1)
    faster = compiled(lerp)
    return without_gradients({"torch": lambda: lerp(x, y, weight, a["partner"]),
                              "torch.compile": lambda: faster(x, y, weight, a["partner"])})
