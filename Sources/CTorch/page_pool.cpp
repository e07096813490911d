// Memory of large tensors, kept for those that follow.
//
// The C library gives each large block back to the system when it is released, and the next one pays for fresh, zeroed
// pages. A heap that keeps them falls into pieces instead: a block of 32 MB does not fit where one of 16 MB and two of
// 8 MB were. Here pages stay, and a block that fits nowhere is put together of free pages from anywhere, which only
// changes the page tables: what a process holds is the most that its tensors held at one time.
#include "support.h"

#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>

#if defined(__linux__)
#include <sys/mman.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <new>
#include <unordered_map>

namespace {

/// Blocks are made of pages of this size, which is also what the processor's page tables take as one piece.
constexpr size_t page = size_t(2) << 20;

/// Below it, the C library's heap has less to lose.
constexpr size_t least = size_t(1) << 20;

class PagePool final : public c10::Allocator {
public:
    c10::DataPtr allocate(size_t bytes) override {
        char *block = bytes < least ? static_cast<char *>(c10::alloc_cpu(bytes)) : take((bytes + page - 1) / page * page);
        return {block, block, &release, c10::Device(c10::DeviceType::CPU)};
    }

    c10::DeleterFnPtr raw_deleter() const override { return &release; }

    void copy_data(void *target, const void *source, size_t count) const override {
        default_copy_data(target, source, count);
    }

    /// Gives the pages that no tensor holds back to the system.
    void shrink() {
        const std::lock_guard<std::mutex> guard(lock);
        for (const auto &[size, block] : unused) munmap(block, size);
        unused.clear();
    }

    static PagePool &shared() {
        static PagePool *const pool = new PagePool;  // Outlives every tensor.
        return *pool;
    }

private:
    std::mutex lock;
    std::unordered_map<void *, size_t> used;
    std::multimap<size_t, char *> unused;

    static void release(void *block) {
        if (reinterpret_cast<uintptr_t>(block) % page != 0 || !shared().put_back(static_cast<char *>(block))) {
            c10::free_cpu(block);
        }
    }

    bool put_back(char *block) {
        const std::lock_guard<std::mutex> guard(lock);
        const auto found = used.find(block);
        if (found == used.end()) return false;
        unused.emplace(found->second, block);
        used.erase(found);
        return true;
    }

    char *take(size_t size) {
        const std::lock_guard<std::mutex> guard(lock);
        const auto found = unused.lower_bound(size);
        char *block;
        if (found != unused.end()) {
            const size_t rest = found->first - size;
            block = found->second;
            unused.erase(found);
            if (rest > 0) unused.emplace(rest, block + size);
        } else {
            block = reserve(size);
            gather(block, size);
        }
        used.emplace(block, size);
        return block;
    }

    /// Addresses for `size` bytes, whose pages come when they are first written.
    static char *reserve(size_t size) {
        void *const whole =
            mmap(nullptr, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (whole == MAP_FAILED) throw std::bad_alloc();
        char *const start = static_cast<char *>(whole);
        char *const block = start + (page - reinterpret_cast<uintptr_t>(start) % page) % page;
        if (block > start) munmap(start, block - start);
        if (block + size < start + size + page) munmap(block + size, start + page - block);
        madvise(block, size, MADV_HUGEPAGE);
        return block;
    }

    /// Moves free pages to the addresses of `block`, of the largest free blocks first; what they do not fill stays fresh.
    void gather(char *block, size_t size) {
        while (size > 0 && !unused.empty()) {
            const auto largest = std::prev(unused.end());
            const auto [available, source] = *largest;
            const size_t moved = std::min(available, size);
            unused.erase(largest);
            // One by one: the pages of a block may be mappings of their own.
            for (size_t at = 0; at < moved; at += page) {
                if (mremap(source + at, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, block + at) == MAP_FAILED) {
                    throw std::bad_alloc();
                }
            }
            if (moved < available) unused.emplace(available - moved, source + moved);
            block += moved;
            size -= moved;
        }
    }
};

}  // namespace

bool ct_keep_memory(void) {
    c10::SetCPUAllocator(&PagePool::shared(), 1);
    return true;
}

void ct_release_memory(void) { PagePool::shared().shrink(); }

#else

bool ct_keep_memory(void) { return false; }

void ct_release_memory(void) {}

#endif
