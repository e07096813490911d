/// How a decoder returns to the next finer level.
public enum Upsampling: String, Codable, Sendable, CaseIterable {
    /// A learnt kernel as large as its stride, so that windows do not overlap (Çiçek et al. 2016).
    case transposedConvolution = "transposed-convolution"
    /// Nearest neighbour, then a convolution (Odena et al. 2016).
    case interpolation
}

extension Signal {
    func upsampled(
        _ kind: Upsampling, _ channels: Int, stride: [Int], kernel: [Int], bias: Bool = true, _ name: String
    ) -> Signal {
        switch kind {
        case .transposedConvolution: transposedConvolution(channels, stride: Extents(stride), bias: bias, name)
        case .interpolation:
            upsampled(Extents(stride)).convolution(channels, kernel: Extents(kernel), bias: bias, name)
        }
    }
}
