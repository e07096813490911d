#if canImport(Glibc)
    import Glibc
#endif

/// Asks for 2 MiB pages for memory not yet touched: first writing a large volume is otherwise bound by
/// the kernel handing out a page every 4 KiB. A request, without effect where it is not granted.
package func preferHugePages(_ memory: UnsafeMutableRawPointer, bytes: Int) {
    #if canImport(Glibc)
        let page = 4096
        let start = (Int(bitPattern: memory) + page - 1) / page * page
        let end = (Int(bitPattern: memory) + bytes) / page * page
        guard end - start >= 4 << 20, let pointer = UnsafeMutableRawPointer(bitPattern: start) else { return }
        _ = madvise(pointer, end - start, MADV_HUGEPAGE)
    #endif
}
