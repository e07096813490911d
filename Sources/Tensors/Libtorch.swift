import CTorch

/// The library behind ``Tensor``.
public enum Libtorch {
    /// Its version, such as `2.13.0`.
    public static var version: String { String(cString: ct_version()) }

    /// Number of threads an operation of the calling thread uses.
    public static var threads: Int { Int(ct_threads()) }

    /// Sets that number. Call it once, before the first operation, on the thread that does the tensor work.
    public static func setThreads(_ count: Int) throws { try check(ct_set_threads(Int32(clamping: count))) }

    /// Keeps memory that tensors on the CPU release in this process, for the tensors that follow.
    ///
    /// By default the C library returns each large block to the system, and a network's next layer pays for fresh,
    /// zeroed pages: a quarter of a training step's time. The price is memory: a process never shrinks, and its peak
    /// is higher (a 2 × 64³ training step: 1.07 GiB in place of 0.73). For processes that train or predict and end;
    /// call it before the first tensor.
    public static func keepMemory() { _ = ct_keep_memory() }
}
