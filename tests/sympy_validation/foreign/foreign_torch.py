"""Custom functions in the style of public repositories: WRONG_ is wrong, all else is right."""

import torch
import torch.nn.functional as F
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class Swish(Function):
    @staticmethod
    def forward(ctx, i):
        result = i * torch.sigmoid(i)
        ctx.save_for_backward(i)
        return result

    @staticmethod
    def backward(ctx, grad_output):
        i = ctx.saved_tensors[0]
        sigmoid_i = torch.sigmoid(i)
        return grad_output * (sigmoid_i * (1 + i * (1 - sigmoid_i)))


class WRONG_Swish(Swish):
    @staticmethod
    def backward(ctx, grad_output):
        i = ctx.saved_tensors[0]
        s = torch.sigmoid(i)
        return grad_output * (s * (1 - s))


class LegendrePolynomial3(Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


class LinearFunction(Function):
    @staticmethod
    def forward(input, weight, bias):
        output = input.mm(weight.t())
        if bias is not None:
            output += bias.unsqueeze(0).expand_as(output)
        return output

    @staticmethod
    def setup_context(ctx, inputs, output):
        input, weight, bias = inputs
        ctx.save_for_backward(input, weight, bias)

    @staticmethod
    def backward(ctx, grad_output):
        input, weight, bias = ctx.saved_tensors
        grad_input = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_input = grad_output.mm(weight)
        if ctx.needs_input_grad[1]:
            grad_weight = grad_output.t().mm(input)
        if bias is not None and ctx.needs_input_grad[2]:
            grad_bias = grad_output.sum(0)
        return grad_input, grad_weight, grad_bias


class MulConstant(Function):
    @staticmethod
    def forward(ctx, tensor, constant):
        ctx.constant = constant
        return tensor * constant

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output * ctx.constant, None


class LayerNorm2d(Function):
    @staticmethod
    def forward(ctx, x, weight, bias, eps):
        ctx.eps = eps
        N, C, H, W = x.size()
        mu = x.mean(1, keepdim=True)
        var = (x - mu).pow(2).mean(1, keepdim=True)
        y = (x - mu) / (var + eps).sqrt()
        ctx.save_for_backward(y, var, weight)
        y = weight.view(1, C, 1, 1) * y + bias.view(1, C, 1, 1)
        return y

    @staticmethod
    def backward(ctx, grad_output):
        eps = ctx.eps
        N, C, H, W = grad_output.size()
        y, var, weight = ctx.saved_variables
        g = grad_output * weight.view(1, C, 1, 1)
        mean_g = g.mean(dim=1, keepdim=True)
        mean_gy = (g * y).mean(dim=1, keepdim=True)
        gx = 1.0 / torch.sqrt(var + eps) * (g - y * mean_gy - mean_g)
        return (
            gx,
            (grad_output * y).sum(dim=3).sum(dim=2).sum(dim=0),
            grad_output.sum(dim=3).sum(dim=2).sum(dim=0),
            None,
        )


class WRONG_LayerNorm2d(LayerNorm2d):
    @staticmethod
    def backward(ctx, grad_output):
        eps = ctx.eps
        N, C, H, W = grad_output.size()
        y, var, weight = ctx.saved_variables
        g = grad_output * weight.view(1, C, 1, 1)
        gx = 1.0 / torch.sqrt(var + eps) * (g - y * (g * y).mean(dim=1, keepdim=True) - grad_output.mean(dim=1, keepdim=True))
        return gx, (grad_output * y).sum((0, 2, 3)), grad_output.sum((0, 2, 3)), None


class BroadcastBias(Function):
    """Its gradient of the bias is not summed: autograd does that."""

    @staticmethod
    def forward(ctx, x, bias):
        return x + bias

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        return g, g


class FusedCrossEntropy(Function):
    @staticmethod
    def forward(ctx, logits, labels):
        lse = torch.logsumexp(logits, dim=-1)
        loss = lse - logits.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
        ctx.save_for_backward(logits, lse, labels)
        return loss

    @staticmethod
    def backward(ctx, grad_loss):
        logits, lse, labels = ctx.saved_tensors
        p = torch.exp(logits - lse.unsqueeze(-1))
        grad = p.clone()
        grad[torch.arange(labels.shape[0]), labels] -= 1.0
        return grad * grad_loss.unsqueeze(-1), None


class LabelSmoothing(Function):
    @staticmethod
    def forward(ctx, logits, labels, eps):
        logp = F.log_softmax(logits, dim=-1)
        ctx.save_for_backward(logp, labels)
        ctx.eps = eps
        nll = -logp.gather(dim=-1, index=labels.unsqueeze(1)).squeeze(1)
        return ((1 - eps) * nll - eps * logp.mean(dim=-1)).mean()

    @staticmethod
    def backward(ctx, g):
        logp, labels = ctx.saved_tensors
        K = logp.size(-1)
        target = torch.full_like(logp, ctx.eps / K)
        target.scatter_add_(-1, labels.unsqueeze(1), torch.full_like(labels.unsqueeze(1), 1.0 - ctx.eps, dtype=logp.dtype))
        return g * (logp.exp() - target) / logp.size(0), None, None


class GEGLU(Function):
    @staticmethod
    def forward(ctx, x):
        a, b = x.chunk(2, dim=-1)
        ctx.save_for_backward(a, b)
        return a * F.gelu(b)

    @staticmethod
    def backward(ctx, g):
        a, b = ctx.saved_tensors
        cdf = 0.5 * (1.0 + torch.erf(b * 0.7071067811865476))
        pdf = 0.3989422804014327 * torch.exp(-0.5 * b * b)
        return torch.cat([g * F.gelu(b), g * a * (cdf + b * pdf)], dim=-1)


class WRONG_GEGLU(GEGLU):
    @staticmethod
    def backward(ctx, g):
        a, b = ctx.saved_tensors
        cdf = 0.5 * (1.0 + torch.erf(b * 0.7071067811865476))
        pdf = 0.3989422804014327 * torch.exp(-0.5 * b * b)
        return torch.cat([g * a * (cdf + b * pdf), g * F.gelu(b)], dim=-1)


class PairwiseDistance(Function):
    @staticmethod
    def forward(ctx, x, y):
        d = (x.unsqueeze(1) - y.unsqueeze(0)).pow(2).sum(-1)
        ctx.save_for_backward(x, y)
        return d

    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        diff = 2 * (x[:, None, :] - y[None, :, :]) * g[..., None]
        return diff.sum(1), -diff.sum(0)
