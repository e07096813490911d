#include "support.h"

#include <ATen/Parallel.h>
#include <torch/headeronly/version.h>

#include <dlfcn.h>
#include <stdlib.h>

#include <exception>
#include <string>

namespace ct {

std::atomic<intptr_t> live{0};

static thread_local std::string fault;

static std::string first_line(const char *text) {
    std::string line(text);
    return line.substr(0, line.find('\n'));
}

void remember_fault() noexcept {
    try {
        throw;
    } catch (const c10::Error &error) {
        fault = first_line(error.what_without_backtrace());
    } catch (const std::bad_alloc &) {
        fault = "out of memory";
    } catch (const std::exception &error) {
        fault = first_line(error.what());
    } catch (...) {
        fault = "an unknown exception in libtorch";
    }
}

}  // namespace ct

const char *ct_fault(void) { return ct::fault.c_str(); }

const char *ct_version(void) { return TORCH_VERSION; }

int ct_set_threads(int count) {
    return ct::attempt([&] { at::set_num_threads(count); });
}

int ct_threads(void) { return at::get_num_threads(); }

int ct_cuda_devices(void) {
    int count = 0;
    ct::attempt([&] {
        if (!at::hasCUDA()) return;
        at::globalContext().setDeterministicCuDNN(true);
        count = static_cast<int>(at::getNumGPUs());
    });
    return count;
}

int ct_allow_tf32(bool allowed) {
    return ct::attempt([&] { at::globalContext().setAllowTF32CuDNN(allowed); });
}

int ct_cuda_capability(void) {
    // Of the CUDA runtime that libtorch brings, whose headers it does not: cudaDevAttrComputeCapabilityMajor is 75.
    using Attribute = int (*)(int *, int, int);
    auto attribute = reinterpret_cast<Attribute>(dlsym(RTLD_DEFAULT, "cudaDeviceGetAttribute"));
    int major = 0;
    return attribute && ct_cuda_devices() > 0 && attribute(&major, 75, 0) == 0 ? major : 0;
}

size_t ct_cuda_free_memory(void) {
    // As above.
    using Memory = int (*)(size_t *, size_t *);
    auto memory = reinterpret_cast<Memory>(dlsym(RTLD_DEFAULT, "cudaMemGetInfo"));
    size_t free = 0, total = 0;
    return memory && ct_cuda_devices() > 0 && memory(&free, &total) == 0 ? free : 0;
}

bool ct_has_bf16_instructions(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bf16") || __builtin_cpu_supports("amx-bf16");
#else
    return false;
#endif
}

intptr_t ct_live_tensors(void) { return ct::live; }
