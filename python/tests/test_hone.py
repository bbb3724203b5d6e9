# SPDX-License-Identifier: MIT
"""hone on arrays of NumPy and, where torch is there, against its autograd in double."""
import gc
import math
import os
import subprocess
import sys
import tempfile
import threading
import unittest

import numpy as np

import examples
import hone

try:
    import torch
except ImportError:
    torch = None

needs_torch = unittest.skipIf(torch is None, "torch is not installed")


def random_numbers(*shape, seed=1, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def labels_below(classes, *shape, seed=2):
    return np.random.default_rng(seed).integers(0, classes, size=shape)


class Arrays(unittest.TestCase):
    def setUp(self):
        self.logits, self.labels = random_numbers(6, 5), labels_below(5, 6)
        self.truth, self.gradient = hone.cross_entropy(self.logits, self.labels, smoothing=0.1)

    def same(self, logits, labels=None, order=lambda g: np.asarray(g)):
        value, gradient = hone.cross_entropy(logits, self.labels if labels is None else labels, smoothing=0.1)
        self.assertAlmostEqual(value, self.truth, places=12)
        np.testing.assert_allclose(order(gradient), self.gradient, atol=1e-15)

    def test_nothing_is_imported(self):
        code = ("import sys, hone, array; v, g = hone.cross_entropy(memoryview(array.array('f', [1, 2, 3, 4])).cast('B')"
                ".cast('f', (2, 2)), array.array('i', [0, 1]), gradient=False); assert g is None and v > 0; "
                "assert not {'numpy', 'torch'} & set(sys.modules)")
        subprocess.run([sys.executable, "-c", code], check=True)

    def test_transposed_and_strided(self):
        transposed = np.asfortranarray(self.logits)
        self.assertEqual(transposed.strides[0], 8)
        self.same(transposed)
        self.assertTrue(hone.cross_entropy(transposed, self.labels).gradient.flags.f_contiguous)
        wide = np.full((6, 9), np.nan)
        wide[:, 2:7] = self.logits
        self.same(wide[:, 2:7])
        into = np.full((6, 9), 7.0)
        hone.cross_entropy(wide[:, 2:7], self.labels, smoothing=0.1, gradient=into[:, 1:6])
        np.testing.assert_allclose(into[:, 1:6], self.gradient, atol=1e-15)
        self.assertTrue((into[:, 6:] == 7).all() and (into[:, 0] == 7).all())

    def test_other_strides_are_refused(self):
        for wrong in (self.logits[:, ::2], self.logits[::-1], np.asfortranarray(self.logits)[::2]):
            with self.assertRaisesRegex(ValueError, r"the prediction of shape \(\d, \d\) has strides"):
                hone.cross_entropy(wrong, labels_below(3, len(wrong)))
        with self.assertRaisesRegex(ValueError, "labels of shape .* must be contiguous"):
            hone.cross_entropy(self.logits, np.repeat(self.labels, 2)[::2])

    def test_read_only(self):
        self.logits.flags.writeable = self.labels.flags.writeable = False
        self.same(self.logits)
        with self.assertRaisesRegex(ValueError, "gradient is read-only"):
            hone.cross_entropy(self.logits, self.labels, gradient=self.logits)

    def test_types(self):
        for labels in (np.int32, np.int64):
            self.same(self.logits, self.labels.astype(labels))
        value, gradient = hone.cross_entropy(self.logits.astype(np.float16), self.labels, smoothing=0.1)
        self.assertAlmostEqual(value, self.truth, places=2)
        self.assertEqual(gradient.dtype, np.float16)
        for wrong, said in ((self.logits.astype(complex), "'Zd'"), ([[1.0, 2.0]], "is a list"), (3, "is a int")):
            with self.assertRaisesRegex(ValueError, said):
                hone.cross_entropy(wrong, self.labels)
        for wrong in (np.uint8, np.int8, np.int16, np.uint16, np.uint32, np.uint64, bool, np.float32):
            with self.assertRaisesRegex(ValueError, "^labels has numbers .*, must be int32 or int64: NumPy has x.astype"):
                hone.cross_entropy(self.logits, self.labels.astype(wrong))
            if wrong is not np.float32:
                with self.assertRaisesRegex(ValueError, "^targets has numbers"):
                    hone.binary_cross_entropy(self.logits, self.labels.astype(wrong))
        with self.assertRaisesRegex(ValueError, "^row_weights has numbers int64, must be float32 or float64"):
            hone.cross_entropy(self.logits, self.labels, row_weights=self.labels)
        packed = np.zeros(6 * 8 + 1, np.uint8)[1:].view(np.float64)
        with self.assertRaisesRegex(ValueError, "^row_weights at 0x.* must be multiples of its 8"):
            hone.cross_entropy(self.logits, self.labels, row_weights=packed)

    def test_in_place_and_errors(self):
        before = self.logits.copy()
        with self.assertRaisesRegex(ValueError, r"^hone_evaluate: the label of row 2 is 9, must be in \[0, 5\)$"):
            self.labels[2] = 9
            hone.cross_entropy(self.logits, self.labels, gradient=self.logits)
        np.testing.assert_array_equal(self.logits, before)
        with self.assertRaisesRegex(ValueError, r"^hone_row_loss_create: smoothing is 1.5, must be in \[0, 1\)$"):
            hone.cross_entropy(self.logits, self.labels, smoothing=1.5)
        with self.assertRaisesRegex(ValueError, "reduction is 'max', must be one of mean, sum"):
            hone.cross_entropy(self.logits, self.labels, reduction="max")
        with self.assertRaises(ValueError):
            hone.Context(0)

    def test_empty_and_one(self):
        self.assertEqual(hone.cross_entropy(np.empty((0, 5)), np.empty(0, np.int64)).value, 0)
        column = random_numbers(4, 1)
        self.assertEqual(hone.cross_entropy(column, np.zeros(4, np.int64)).value, 0)
        flat = hone.binary_cross_entropy(column[:, 0].copy(), np.ones(4))
        self.assertAlmostEqual(flat.value, np.log1p(np.exp(-column)).mean(), places=12)

    def test_dlpack_of_both_kinds(self):
        class Old:
            def __init__(self, x):
                self.x = x

            def __dlpack_device__(self):
                return self.x.__dlpack_device__()

            def __dlpack__(self, stream=None):
                return self.x.__dlpack__()

        self.same_value(Old(self.logits))

        class New(Old):
            def __dlpack__(self, *, stream=None, max_version=None):
                try:
                    return self.x.__dlpack__(max_version=max_version)
                except TypeError:
                    return self.x.__dlpack__()

        self.same_value(New(self.logits))

        class Elsewhere(Old):
            def __dlpack_device__(self):
                return (2, 0)

        with self.assertRaisesRegex(ValueError, r"is on device \(2, 0\), must be in the memory of the host"):
            self.same_value(Elsewhere(self.logits))

    def same_value(self, logits):
        value, _ = hone.cross_entropy(logits, self.labels, smoothing=0.1, gradient=False)
        self.assertEqual(value, self.truth)
        gc.collect()

    def test_threads(self):
        logits, labels = random_numbers(4096, 100), labels_below(100, 4096)
        one, all_cores = (hone.cross_entropy(logits, labels, context=c) for c in (hone.Context(1), None))
        self.assertEqual(one.value, all_cores.value)
        np.testing.assert_array_equal(one.gradient, all_cores.gradient)

    def test_two_threads_at_once(self):
        work = [(random_numbers(512, 100, seed=s), labels_below(100, 512, seed=s)) for s in range(4)]
        alone, together, errors = [hone.cross_entropy(*w) for w in work], [None] * 4, [None] * 4

        def run(i):
            for _ in range(20):
                together[i] = hone.cross_entropy(*work[i])
                try:
                    hone.cross_entropy(work[i][0], np.full(512, 100 + i))
                except ValueError as wrong:
                    errors[i] = str(wrong)

        threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for i in range(4):
            self.assertEqual(together[i].value, alone[i].value)
            np.testing.assert_array_equal(together[i].gradient, alone[i].gradient)
            self.assertEqual(errors[i], f"hone_evaluate: the label of row 0 is {100 + i}, must be in [0, 100)")

    def test_unreduced(self):
        losses = np.empty(6)
        value, _ = hone.cross_entropy(self.logits, self.labels, smoothing=0.1, unreduced=losses)
        self.assertAlmostEqual(losses.mean(), value, places=12)
        with self.assertRaisesRegex(ValueError, "unreduced is float64 of shape .5,., must be 6 numbers"):
            hone.cross_entropy(self.logits, self.labels, unreduced=np.empty(5))


@needs_torch
class AgainstTorch(unittest.TestCase):
    """Values and gradients of torch's autograd in double, at 1e-12."""

    def compare(self, result, loss, prediction):
        x = torch.from_numpy(prediction.copy()).requires_grad_()
        truth = loss(x)
        truth.backward()
        self.assertAlmostEqual(result.value, truth.item(), delta=1e-12 * (1 + abs(truth.item())))
        np.testing.assert_allclose(result.gradient, x.grad.numpy(), atol=1e-12)

    def test_cross_entropy(self):
        logits, labels = random_numbers(17, 9), labels_below(9, 17)
        labels[3] = -100
        y, weights = torch.from_numpy(labels), np.abs(random_numbers(9, seed=3))
        ce = torch.nn.functional.cross_entropy
        self.compare(hone.cross_entropy(logits, labels, ignore=-100, smoothing=0.1),
                     lambda z: ce(z, y, label_smoothing=0.1), logits)
        self.compare(hone.cross_entropy(logits, labels, ignore=-100, class_weights=weights),
                     lambda z: ce(z, y, weight=torch.from_numpy(weights)), logits)
        self.compare(hone.cross_entropy(logits, labels, ignore=-100, reduction="sum"),
                     lambda z: ce(z, y, reduction="sum"), logits)
        soft = np.abs(random_numbers(17, 9, seed=4))
        self.compare(hone.cross_entropy(logits, probabilities=soft, smoothing=0.2),
                     lambda z: ce(z, torch.from_numpy(soft), label_smoothing=0.2), logits)

    def test_mixed_labels_a_teacher_and_z_loss(self):
        logits, labels, others = random_numbers(8, 5), labels_below(5, 8), labels_below(5, 8, seed=7)
        teacher, rows = random_numbers(8, 5, seed=5), np.arange(8)[::-1].copy()
        ce = torch.nn.functional.cross_entropy
        y, o = torch.from_numpy(labels), torch.from_numpy(others)
        self.compare(hone.cross_entropy(logits, labels, mixed_labels=others, lambdas=0.3),
                     lambda z: 0.3 * ce(z, y) + 0.7 * ce(z, o), logits)
        self.compare(hone.cross_entropy(logits, labels, partners=rows, lambdas=np.full(8, 0.3)),
                     lambda z: 0.3 * ce(z, y) + 0.7 * ce(z, y.flip(0)), logits)

        def distilled(z):
            t = torch.from_numpy(teacher)
            kl = torch.nn.functional.kl_div((z / 4).log_softmax(1), (t / 4).softmax(1), reduction="batchmean")
            return 0.7 * ce(z, y) + 0.3 * 16 * kl + 1e-2 * (z.logsumexp(1) ** 2).mean()

        self.compare(hone.cross_entropy(logits, labels, factor=0.7, teacher=teacher, distillation=0.3, temperature=4,
                                        z_loss=1e-2), distilled, logits)
        soft, weights = np.abs(random_numbers(8, 5, seed=8)), np.abs(random_numbers(5, seed=9))
        t = torch.from_numpy(teacher)
        self.compare(hone.cross_entropy(logits, labels, class_weights=weights, teacher=teacher, distillation=1),
                     lambda z: ce(z, y, weight=torch.from_numpy(weights)) + torch.nn.functional.kl_div(
                         z.log_softmax(1), t.softmax(1), reduction="batchmean"), logits)
        self.compare(hone.cross_entropy(logits, probabilities=soft, teacher=teacher, distillation=1),
                     lambda z: ce(z, torch.from_numpy(soft)) + torch.nn.functional.kl_div(
                         z.log_softmax(1), t.softmax(1), reduction="batchmean"), logits)

    def test_images(self):
        logits, labels = random_numbers(2, 4, 3, 5), labels_below(4, 2, 3, 5)
        y = torch.from_numpy(labels)
        self.compare(hone.cross_entropy(logits, labels), lambda z: torch.nn.functional.cross_entropy(z, y), logits)

        def dice(z):
            p, q = z.softmax(1), torch.nn.functional.one_hot(y, 4).movedim(3, 1).double()
            both, total = (p * q).sum((0, 2, 3)), p.sum((0, 2, 3)) + q.sum((0, 2, 3))
            return (1 - (2 * both + 1) / (total + 1)).mean() + 0.5 * torch.nn.functional.cross_entropy(z, y)

        self.compare(hone.dice_loss(logits, labels, smooth=1, cross_entropy=0.5), dice, logits)

    def test_elements(self):
        logits, targets = random_numbers(6, 7), np.random.default_rng(3).uniform(size=(6, 7))
        t = torch.from_numpy(targets)
        bce = torch.nn.functional.binary_cross_entropy_with_logits
        self.compare(hone.binary_cross_entropy(logits, targets), lambda x: bce(x, t), logits)

        def focal(x):
            p = x.sigmoid()
            p_t = p * t + (1 - p) * (1 - t)
            return ((0.25 * t + 0.75 * (1 - t)) * (1 - p_t) ** 2 * bce(x, t, reduction="none")).sum()

        self.compare(hone.sigmoid_focal_loss(logits, targets, reduction="sum"), focal, logits)
        weights = np.random.default_rng(4).uniform(0, 3, 7)
        self.compare(hone.binary_cross_entropy(logits, targets, positive_weights=weights),
                     lambda x: bce(x, t, pos_weight=torch.from_numpy(weights)), logits)
        self.compare(hone.binary_cross_entropy(logits, targets, positive_weights=3),
                     lambda x: bce(x, t, pos_weight=torch.tensor(3.0)), logits)

        def sigmoid_dice(x):
            p = x.sigmoid()
            both, total = (p * t).sum(0), p.sum(0) + t.sum(0)
            return (1 - (2 * both + 1) / (total + 1)).mean() + 0.5 * bce(x, t)

        self.compare(hone.dice_loss(logits, probabilities=targets, sigmoid=True, smooth=1, cross_entropy=0.5),
                     sigmoid_dice, logits)

        def focal_softmax(z):
            log_p = z.log_softmax(1)[torch.arange(6), torch.arange(6)]
            return -((1 - log_p.exp()) ** 1.5 * log_p).mean()

        self.compare(hone.softmax_focal_loss(logits, np.arange(6), gamma=1.5), focal_softmax, logits)

    def test_boxes(self):
        rng = np.random.default_rng(1)
        corners = [np.concatenate([c - s, c + s], 1) for c, s in
                   ((rng.uniform(2, 4, (9, 2)), rng.uniform(1, 2, (9, 2))) for _ in range(2))]

        def giou(b):
            t = torch.from_numpy(corners[1])
            low, high = torch.maximum(b[:, :2], t[:, :2]), torch.minimum(b[:, 2:], t[:, 2:])
            both = (high - low).clamp(min=0).prod(1)
            union = (b[:, 2:] - b[:, :2]).prod(1) + (t[:, 2:] - t[:, :2]).prod(1) - both
            hull = (torch.maximum(b[:, 2:], t[:, 2:]) - torch.minimum(b[:, :2], t[:, :2])).prod(1)
            return (1 - both / union + (hull - union) / hull).mean()

        self.compare(hone.box_loss("giou", corners[0], corners[1]), giou, corners[0])
        with self.assertRaisesRegex(ValueError, "kind is 'best', must be one of iou, giou"):
            hone.box_loss("best", *corners)

    def test_tensors(self):
        for dtype, places in ((torch.float32, 6), (torch.bfloat16, 2), (torch.float16, 3)):
            logits, labels = torch.randn(5, 4).to(dtype), torch.tensor([0, 1, 2, 3, 1])
            value, gradient = hone.cross_entropy(logits, labels, smoothing=0.1)
            truth = torch.nn.functional.cross_entropy(logits.double(), labels, label_smoothing=0.1)
            self.assertAlmostEqual(value, truth.item(), places=places)
            self.assertEqual((gradient.dtype, gradient.shape), (dtype, logits.shape))
        transposed = torch.randn(4, 5, dtype=torch.float64).t()
        value, gradient = hone.cross_entropy(transposed, labels)
        self.assertAlmostEqual(value, torch.nn.functional.cross_entropy(transposed, labels).item(), places=12)
        self.assertEqual(gradient.stride(), transposed.stride())
        with self.assertRaisesRegex(ValueError, "the prediction cannot be viewed: .*grad"):
            hone.cross_entropy(torch.randn(5, 4, requires_grad=True), labels)

    def test_autograd(self):
        torch.manual_seed(1)
        net, y = torch.nn.Linear(3, 4).double(), torch.tensor([0, 3, 1])
        x = torch.randn(3, 3, dtype=torch.float64)
        loss = 2 * hone.torch.CrossEntropy(smoothing=0.1)(net(x), y)
        loss.backward()
        mine = net.weight.grad.clone()
        net.zero_grad()
        (2 * torch.nn.functional.cross_entropy(net(x), y, label_smoothing=0.1)).backward()
        torch.testing.assert_close(mine, net.weight.grad, atol=1e-14, rtol=0)
        net.zero_grad()
        value = hone.torch.backward(hone.cross_entropy, net(x), y, smoothing=0.1)
        torch.testing.assert_close(2 * net.weight.grad, mine, atol=1e-14, rtol=0)
        self.assertAlmostEqual(2 * value, loss.item(), places=14)
        self.assertAlmostEqual(hone.torch.apply(hone.softmax_focal_loss, net(x), y, gamma=0.0).item(),
                               torch.nn.functional.cross_entropy(net(x), y).item(), places=12)

    def test_gradcheck(self):
        torch.manual_seed(4)
        y, t = torch.tensor([0, 2, 1]), torch.rand(3, 4, dtype=torch.float64)

        def checked(loss, *arguments, shape=(3, 4), **options):
            x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
            self.assertTrue(torch.autograd.gradcheck(
                lambda x: 3 * hone.torch.apply(loss, x, *arguments, **options), (x,)))

        checked(hone.cross_entropy, y, smoothing=0.1, z_loss=0.1)
        checked(hone.cross_entropy, y.repeat(2, 1), shape=(2, 4, 3))
        checked(hone.softmax_focal_loss, y)
        checked(hone.binary_cross_entropy, t, positive_weights=2)
        checked(hone.asymmetric_loss, t.round())
        checked(hone.dice_loss, y, smooth=1)
        checked(hone.jaccard_loss, sigmoid=True, probabilities=t, cross_entropy=0.5)

    def test_autograd_of_leaves(self):
        x, y = torch.randn(3, 4, dtype=torch.float64, requires_grad=True), torch.tensor([0, 3, 1])
        loss = hone.torch.apply(hone.cross_entropy, x, y)
        loss.backward(retain_graph=True)
        once = x.grad.clone()
        loss.backward()
        torch.testing.assert_close(x.grad, 2 * once, atol=0, rtol=0)
        (first,) = torch.autograd.grad(hone.torch.apply(hone.cross_entropy, x, y), x, create_graph=True)
        with self.assertRaises(RuntimeError):  # no second derivative, and not a wrong one
            first.sum().backward()
        with torch.no_grad():
            self.assertFalse(hone.torch.apply(hone.cross_entropy, x.detach(), y).requires_grad)

    def test_gradients_of_channels_last(self):
        g = torch.randn(4, 3, 2, 2).contiguous(memory_format=torch.channels_last)
        norm = g.double().norm().item()
        report = hone.clip_by_global_norm([g], norm / 2)
        self.assertAlmostEqual(report.norm, norm, places=5)
        self.assertAlmostEqual(g.double().norm().item(), norm / 2, places=5)
        with self.assertRaisesRegex(ValueError, "tensor 0 of parameters .* must be contiguous"):
            hone.Ema([g])

    def test_clip_and_ema_of_parameters(self):
        torch.manual_seed(2)
        net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
        net(torch.randn(5, 3)).square().sum().backward()
        gradients = [p.grad for p in net.parameters()]
        norm = torch.sqrt(sum(g.double().square().sum() for g in gradients)).item()
        report = hone.clip_by_global_norm(gradients, norm / 4)
        self.assertAlmostEqual(report.norm, norm, places=5)
        self.assertAlmostEqual(torch.sqrt(sum(g.square().sum() for g in gradients)).item(), norm / 4, places=5)
        parameters = [p.detach() for p in net.parameters()]
        ema, kept = hone.Ema(parameters, decay=0.5), [p.clone() for p in parameters]
        for p in parameters:
            p += 1
        ema.update(parameters)
        with ema.swapped(parameters):
            for p, k in zip(parameters, kept):
                torch.testing.assert_close(p, k + 0.5)
        for p, k in zip(parameters, kept):
            torch.testing.assert_close(p, k + 1)


class Training(unittest.TestCase):
    def test_clipping(self):
        g = [np.full((2, 3), 3.0, np.float32), np.full(4, -2.0, np.float32)]
        norm = math.sqrt(6 * 9 + 4 * 4)
        report = hone.clip_by_global_norm(g, 1)
        self.assertAlmostEqual(report.norm, norm, places=5)
        self.assertAlmostEqual(sum(float((x * x).sum()) for x in g), 1, places=5)
        self.assertTrue(report.finite)
        hone.clip_by_value(g, 0.1)
        self.assertEqual(max(np.abs(x).max() for x in g), np.float32(0.1))
        hone.clip_by_norm(g, 0.05)
        self.assertAlmostEqual(float(np.linalg.norm(g[1])), 0.05, places=6)
        w = [np.ones((2, 3), np.float32), np.ones(4, np.float32)]
        hone.adaptive_clip(g, w, 0.01)
        self.assertLess(float(np.linalg.norm(g[0][0])), 0.01 * math.sqrt(3) + 1e-6)
        g[0][0, 0] = np.inf
        before = g[1].copy()
        report = hone.clip_by_global_norm(g, 1e-9)
        self.assertFalse(report.finite)
        np.testing.assert_array_equal(g[1], before)
        with self.assertRaisesRegex(ValueError, "tensor 1 of gradients is float64, tensor 0 is float32"):
            hone.clip_by_value([g[0], np.zeros(3)], 1)
        with self.assertRaisesRegex(ValueError, "tensor 0 of gradients .* must be contiguous"):
            hone.clip_by_value([g[0][:, ::2]], 1)
        g[0][0, 0] = 1
        hone.clip_by_value([g[0].T], 0.01)  # side by side, in another order
        self.assertEqual(np.abs(g[0]).max(), np.float32(0.01))

    def test_scaler(self):
        scaler = hone.LossScaler(initial=4, interval=1)
        g = [np.full(2, 8.0, np.float32)]
        self.assertEqual(hone.unscale(g, scaler).factor, 0.25)
        self.assertEqual(g[0][0], 2)
        scaler.update(True)
        self.assertEqual(scaler.scale, 8)
        scaler.update(False)
        state = scaler.state_dict()
        other = hone.LossScaler()
        other.load_state_dict(state)
        self.assertEqual(other.scale, 4)

    def test_averages(self):
        w = [np.zeros((2, 3), np.float32), np.zeros(2, np.float32)]
        ema = hone.Ema(w, decay=0.75)
        ema.copy_only(1)
        for x in w:
            x[...] = 4
        ema.update(w)
        ema.update(w, finite=False)
        self.assertEqual(ema.updates, 1)
        out = [np.empty((2, 3), np.float16), np.empty(2, np.float16)]
        ema.copy_to(out)
        self.assertTrue((out[0] == 1).all() and (out[1] == 4).all())
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "average")
            ema.save(path)
            ema.update(w)
            ema.load(path)
            self.assertEqual(ema.updates, 1)
            state = ema.state_bytes()
            with open(path, "rb") as file:
                self.assertEqual(file.read(), state)
            ema.update(w)
            ema.load_state_bytes(state)
            self.assertEqual(ema.updates, 1)
            with self.assertRaisesRegex(ValueError, "^hone_average_read: the state ends after"):
                ema.load_state_bytes(state[:-1])
            with self.assertRaisesRegex(OSError, "hone_average_load: .*/none"):
                ema.load(os.path.join(folder, "none"))
        swa = hone.Swa(w)
        swa.update(w)
        swa.copy_to(out)
        self.assertTrue((out[0] == 4).all())
        with self.assertRaisesRegex(ValueError, "the state holds the parameters"), ema.swapped(w):
            ema.update(w)
        self.assertTrue((w[0] == 4).all())

    def test_schedules(self):
        rate = hone.cosine(1, 100, floor=0.1, warmup=10)
        self.assertEqual([rate(0), rate(10), rate(110)], [0, 1, 0.1])
        self.assertAlmostEqual(rate(60), 0.55)
        self.assertAlmostEqual(hone.milestones(1, [2, 5], factor=0.5)(5), 0.25)
        for schedule in (hone.constant(1), hone.warmup_cosine(1, 100, 10), hone.one_cycle(0.1, 1, 100, 30),
                         hone.step_decay(1, 10), hone.polynomial(1, 100, power=2), hone.exponential(1, 0.9),
                         hone.wsd(1, 100, 10, 20), hone.inverse_square_root(1, 10), hone.cosine_restarts(1, 10)):
            self.assertTrue(0 <= schedule(50) <= 1)
        with self.assertRaisesRegex(ValueError, "hone_schedule_create: total is 0, must be at least 1"):
            hone.cosine(1, 0)
        with self.assertRaisesRegex(ValueError, "hone_schedule_rate: step is -1"):
            rate(-1)

    def test_examples(self):
        labels = labels_below(3, 60)
        inputs = (np.eye(3)[labels] * 3 + random_numbers(60, 3)).astype(np.float32)
        value, accuracy = examples.train(inputs, labels)
        self.assertTrue(0.29 < value < 0.6 and accuracy > 0.9)
        value, gradient = examples.mix(random_numbers(6, 1, 4, 4, dtype=np.float32), labels_below(5, 6),
                                       lambda x: x.reshape(6, 16)[:, :5].copy())
        self.assertTrue(value > 0 and gradient.shape == (6, 5))

    @needs_torch
    def test_torch_examples(self):
        torch.manual_seed(3)
        x = torch.randn(30, 4)
        net, y = torch.nn.Linear(4, 3), x[:, :3].argmax(1)
        self.assertLess(examples.train_torch(net, x, y), 0.75)

    def test_mixing(self):
        images = random_numbers(8, 3, 4, 4, dtype=np.float32)
        draw = hone.draw_mixing(1, 0, 8, 4, 4, cutmix_alpha=0, per="sample")
        mixed = hone.blend(draw, images)
        for i, (lam, j) in enumerate(zip(draw.lambdas, draw.partners)):
            np.testing.assert_allclose(mixed[i], lam * images[i] + (1 - lam) * images[j], atol=1e-6)
        again = hone.draw_mixing(1, 0, 8, 4, 4, cutmix_alpha=0, per="sample")
        self.assertEqual(list(draw.lambdas), list(again.lambdas))
        logits, labels = random_numbers(8, 5), labels_below(5, 8)
        value, _ = hone.cross_entropy(logits, labels, partners=draw.partners, lambdas=draw.lambdas)
        other = hone.cross_entropy(logits, labels, mixed_labels=labels[np.asarray(draw.partners)], lambdas=draw.lambdas)
        self.assertEqual(value, other.value)
        hone.blend(draw, images, images)
        np.testing.assert_array_equal(images, mixed)

    def test_calibration(self):
        logits = np.log(np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]]))
        c = hone.calibrate(logits, np.array([0, 0, 1, 1]), bins=10)
        self.assertAlmostEqual(c.accuracy, 0.75)
        self.assertAlmostEqual(c.mean_confidence, 0.75)
        self.assertAlmostEqual(c.expected_error, (0.1 + 0.2 + 0.6 + 0.3) / 4)
        self.assertEqual(c.count, 4)


if __name__ == "__main__":
    print("hone", hone.__version__, "numpy", np.__version__, "torch", torch.__version__ if torch else
          "is not installed, its tests are SKIPPED")
    unittest.main()
