import Dispatch

extension Tensor {
    /// Normal numbers of mean 0; each is a function of `random` and its index alone, so many are drawn at once.
    public static func gaussian(
        _ shape: [Int], deviation: Double = 1, _ random: CounterRandom, type: ElementType = .float32,
        device: Device = .cpu
    ) throws -> Tensor {
        let count = shape.reduce(1, *)
        let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            let part = 1 << 14
            nonisolated(unsafe) let start = buffer.baseAddress
            DispatchQueue.concurrentPerform(iterations: (count + part - 1) / part) { index in
                for i in index * part..<min(count, (index + 1) * part) {
                    (start! + i).initialize(to: Float(deviation * random.normal(UInt64(i))))
                }
            }
            initialized = count
        }
        return try Tensor(values, shape: shape, device: device).to(type)
    }
}
