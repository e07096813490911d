// Autograd, autocast and the optimizers' steps.
#include "support.h"

#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/autograd.h>

using ct::attempt;
using ct::make;
using ct::values;

// Autograd

int ct_set_requires_gradient(ct_tensor *t, bool wanted) {
    return attempt([&] { t->value.set_requires_grad(wanted); });
}

bool ct_requires_gradient(const ct_tensor *t) { return t->value.requires_grad(); }

int ct_gradient(const ct_tensor *t, ct_tensor **gradient) {
    *gradient = nullptr;
    return attempt([&] {
        const at::Tensor &g = t->value.grad();
        if (g.defined()) *gradient = new ct_tensor(g);
    });
}

int ct_clear_gradient(ct_tensor *t) {
    return attempt([&] { t->value.mutable_grad() = at::Tensor(); });
}

int ct_backward(const ct_tensor *t) {
    return attempt([&] { t->value.backward(); });
}

int ct_backward_from(const ct_tensor *t, const ct_tensor *gradient, bool keep) {
    return attempt([&] { t->value.backward(gradient->value, keep); });
}

int ct_backward_from_all(const ct_tensor *const *tensors, const ct_tensor *const *gradients, size_t count) {
    return attempt([&] { torch::autograd::backward(values(tensors, count), values(gradients, count)); });
}

int ct_retain_gradient(ct_tensor *t) {
    return attempt([&] { t->value.retain_grad(); });
}

ct_tensor *ct_detach(const ct_tensor *t) {
    return make([&] { return t->value.detach(); });
}

bool ct_gradients_enabled(void) { return at::GradMode::is_enabled(); }

bool ct_set_gradients_enabled(bool enabled) {
    bool previous = at::GradMode::is_enabled();
    at::GradMode::set_enabled(enabled);
    return previous;
}

// Autocast

ct_autocast_state ct_autocast_enter(int device, int type) {
    at::DeviceType kind = ct::device_type(device);
    ct_autocast_state previous = {at::autocast::is_autocast_enabled(kind),
                                  ct::type_code(at::autocast::get_autocast_dtype(kind))};
    at::autocast::increment_nesting();
    at::autocast::set_autocast_enabled(kind, type != CT_F32);
    if (type != CT_F32) at::autocast::set_autocast_dtype(kind, ct::scalar_type(type));
    return previous;
}

void ct_autocast_leave(int device, ct_autocast_state previous) {
    at::DeviceType kind = ct::device_type(device);
    at::autocast::set_autocast_enabled(kind, previous.enabled);
    if (previous.type != CT_OTHER) at::autocast::set_autocast_dtype(kind, ct::scalar_type(previous.type));
    // The cache holds the weights in half their size: kept longer, it would outlive the optimizer's next step.
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
}

// Optimizers

int ct_sgd_step(ct_tensor *const *parameters, const ct_tensor *const *gradients, ct_tensor *const *momenta,
                size_t count, double rate, double momentum, double decay, bool nesterov, bool first) {
    return attempt([&] {
        at::NoGradGuard guard;
        at::_fused_sgd_(values(parameters, count), values(gradients, count), values(momenta, count), decay, momentum,
                        rate, 0.0, nesterov, false, first);
    });
}

int ct_adamw_step(ct_tensor *const *parameters, const ct_tensor *const *gradients, ct_tensor *const *means,
                  ct_tensor *const *squares, ct_tensor *const *steps, size_t count, double rate, double beta1,
                  double beta2, double decay, double epsilon) {
    return attempt([&] {
        at::NoGradGuard guard;
        // libtorch's kernel reads the counts of steps and leaves counting to its caller.
        std::vector<at::Tensor> counts = values(steps, count);
        at::_foreach_add_(counts, 1);
        at::_fused_adamw_(values(parameters, count), values(gradients, count), values(means, count),
                          values(squares, count), {}, counts, rate, beta1, beta2, decay, epsilon, false, false);
    });
}

int ct_clip_gradients(const ct_tensor *const *parameters, size_t count, double scale, double limit, double *norm) {
    return attempt([&] {
        at::NoGradGuard guard;
        std::vector<at::Tensor> gradients;
        for (size_t i = 0; i < count; ++i) {
            const at::Tensor &g = parameters[i]->value.grad();
            if (g.defined()) gradients.push_back(g);
        }
        *norm = 0;
        if (gradients.empty()) return;
        if (scale != 1) at::_foreach_mul_(gradients, 1 / scale);
        *norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2))).item<double>();
        if (*norm > limit) at::_foreach_mul_(gradients, limit / *norm);
    });
}
