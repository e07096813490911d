import CTorch

/// The number format of convolutions; parameters, statistics and losses are always f32.
public enum Precision: String, Codable, Sendable {
    case f32, bf16
    /// For GPUs that have no `bf16`: training in it scales the loss, since small gradients would vanish.
    case f16

    /// What convolutions are computed in.
    public var elementType: Tensor.ElementType {
        switch self {
        case .f32: .float32
        case .bf16: .bfloat16
        case .f16: .float16
        }
    }

    /// On GPUs bf16, on Volta and Turing f16, on older ones f32; on processors bf16 where a convolution in it is measured to be faster,
    /// which not all with `avx512_bf16` are, elsewhere f32.
    public static func automatic(on device: Device) -> Precision {
        if device == .cuda {
            return switch ct_cuda_capability() {
            case 7: .f16
            case 1...6: .f32
            default: .bf16
            }
        }
        return ct_has_bf16_instructions() && bf16IsFaster ? .bf16 : .f32
    }

    /// Measured once: the rates differ by a factor of about two, one way or the other, so that a third is enough to tell.
    private static let bf16IsFaster: Bool = {
        let seconds = try? withoutGradients { try measuredSeconds(of: [.float32, .bfloat16]) }
        return seconds.map { $0[1] * 4 / 3 < $0[0] } ?? false
    }()

    /// The shortest of some convolutions of 32 channels in each type, taken in turns, on one thread: several would wait for each
    /// other where the machine is busy.
    private static func measuredSeconds(of types: [Tensor.ElementType]) throws -> [Double] {
        let threads = Libtorch.threads
        try Libtorch.setThreads(1)
        defer { try? Libtorch.setThreads(threads) }
        let operands = try types.map { type in
            (
                image: try Tensor.full([2, 32, 16, 16, 16], 1, type: type).contiguous(.channelsLast),
                weight: try Tensor.full([32, 32, 3, 3, 3], 1, type: type).contiguous(.channelsLast)
            )
        }
        var shortest = types.map { _ in Double.infinity }
        for _ in 0..<20 {
            for (index, operand) in operands.enumerated() {
                let time = try ContinuousClock().measure {
                    _ = try operand.image.convolved(operand.weight, stride: [1, 1, 1], padding: [1, 1, 1])
                }
                shortest[index] = min(shortest[index], time / .seconds(1))
            }
        }
        return shortest
    }
}
