import CTorch

/// The library behind ``Tensor``.
public enum Libtorch {
    /// Its version, such as `2.13.0`.
    public static var version: String { String(cString: ct_version()) }

    /// Number of threads an operation of the calling thread uses.
    public static var threads: Int { Int(ct_threads()) }

    /// Sets that number. Call it once, before the first operation, on the thread that does the tensor work.
    public static func setThreads(_ count: Int) throws { try check(ct_set_threads(Int32(clamping: count))) }

    /// Keeps memory that large tensors on the CPU release in this process, for the tensors that follow.
    ///
    /// By default the C library returns each large block to the system, and a network's next layer pays for fresh,
    /// zeroed pages: a quarter of a training step's time. Kept pages are put together anew for each block, so the
    /// peak stays what tensors hold at one time (a 2 × 64³ training step: 0.74 GiB). Call it before the first tensor.
    public static func keepMemory() { _ = ct_keep_memory() }

    /// Whether convolutions on a GPU keep all digits of f32, rather than the three of TF32; without, and in libtorch by
    /// default, those of other types are faster too.
    public static func keepDigits(_ wanted: Bool) throws { try check(ct_allow_tf32(!wanted)) }

    /// Gives back to the system what ``keepMemory()`` keeps and no tensor uses.
    public static func releaseMemory() { ct_release_memory() }
}
