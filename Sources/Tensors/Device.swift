import CTorch

/// Where tensors live and are computed.
public enum Device: String, Codable, Sendable {
    case cpu, cuda

    /// What a user asks for: a device by name, or the best there is.
    public enum Choice: String, Codable, Sendable, CaseIterable {
        case auto, cpu, cuda

        /// That very device.
        public init(_ device: Device) {
            switch device {
            case .cpu: self = .cpu
            case .cuda: self = .cuda
            }
        }
    }

    /// How many of them libtorch finds; of the processor there is one.
    public var count: Int {
        switch self {
        case .cpu: 1
        case .cuda: Int(ct_cuda_devices())
        }
    }

    /// Bytes of a GPU's own memory that nothing holds; nil for the processor, and where it cannot be known.
    public var freeMemory: Int? {
        guard self == .cuda else { return nil }
        let free = Int(clamping: ct_cuda_free_memory())
        return free > 0 ? free : nil
    }

    /// The device a choice stands for here: `auto` is CUDA where libtorch finds a GPU, else the CPU.
    ///
    /// - Throws: ``TensorError/deviceMissing(_:)`` where CUDA is asked for and absent.
    public static func resolve(_ choice: Choice) throws -> Device {
        switch choice {
        case .cpu: return .cpu
        case .auto: return ct_cuda_devices() > 0 ? .cuda : .cpu
        case .cuda:
            try Device.cuda.requirePresence()
            return .cuda
        }
    }

    func requirePresence() throws {
        if self == .cuda, ct_cuda_devices() == 0 { throw TensorError.deviceMissing(rawValue) }
    }

    var code: Int32 {
        switch self {
        case .cpu: 0
        case .cuda: 1
        }
    }
}
