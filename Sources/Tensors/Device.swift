import CTorch

/// Where tensors live and are computed.
public enum Device: String, Codable, Sendable {
    case cpu, cuda

    /// What a user asks for: a device by name, or the best there is.
    public enum Choice: String, Codable, Sendable, CaseIterable {
        case auto, cpu, cuda
    }

    /// The device a choice stands for here: `auto` is CUDA where libtorch finds a GPU, else the CPU.
    ///
    /// - Throws: ``TensorError/deviceMissing(_:)`` where CUDA is asked for and absent.
    public static func resolve(_ choice: Choice) throws -> Device {
        switch choice {
        case .cpu: return .cpu
        case .auto: return ct_has_cuda() ? .cuda : .cpu
        case .cuda:
            try Device.cuda.requirePresence()
            return .cuda
        }
    }

    func requirePresence() throws {
        if self == .cuda, !ct_has_cuda() { throw TensorError.deviceMissing(rawValue) }
    }

    var code: Int32 {
        switch self {
        case .cpu: 0
        case .cuda: 1
        }
    }
}
