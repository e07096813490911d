import CTorch

/// The number format of convolutions; parameters, statistics and losses are f32 in both.
public enum Precision: String, Codable, Sendable {
    case f32, bf16

    /// bf16 on GPUs and on processors with `avx512_bf16` or `amx_bf16`, where it halves a step's time; f32 elsewhere,
    /// where it would be emulated.
    public static func automatic(on device: Device) -> Precision {
        device == .cuda || ct_has_bf16_instructions() ? .bf16 : .f32
    }
}
