import Foundation

extension Graph {
    /// One step of a network, as a description: what it does and in which shape, without weights.
    ///
    /// Lists have one number for each spatial axis: z, y, x or y, x.
    public enum Operation: Equatable, Sendable {
        case input
        case convolution(Convolution)
        case transposedConvolution(TransposedConvolution)
        /// A matrix and a bias over the channels of `[batch, channel]`.
        case linear
        /// - Parameter startsAtZero: whether its scale γ is 0 at initialization, not 1.
        case normalization(Normalization, startsAtZero: Bool)
        case activation(Activation)
        /// The largest value of each window. Windows without overlap must tile the input: an odd extent under a stride of
        /// 2 would lose a voxel that the way back cannot restore.
        case maxPooling(Window)
        /// The mean of each window; a rest at the far end is left out.
        case averagePooling(Window)
        /// The mean over all voxels: `[batch, channel, z, y, x]` gives `[batch, channel]`.
        case globalAveragePooling
        /// Enlarged by whole numbers, nearest neighbour.
        case upsampling([Int])
        /// Every n-th voxel along each axis and zeros for new channels: an identity where a block changes the shape
        /// (He et al. 2016, option A).
        case subsampling([Int])
        /// The sum of all inputs.
        case add
        /// The end of a residual block: (shortcut + branch) · scale; inputs in that order.
        case residual(scale: Double)
        /// All inputs' channels, one after the other.
        case concatenate
        /// The middle of the first input, in the extents of the second.
        case crop

        public struct Convolution: Equatable, Sendable {
            public var kernel: [Int]
            public var stride: [Int]
            /// Voxels added on each side.
            public var padding: [Int]
            public var paddingMode = PaddingMode.zeros
            public var hasBias: Bool
            public var initialization: Initialization
            /// Applied to the output; only folding puts one here.
            var activation: Activation?
        }

        public struct TransposedConvolution: Equatable, Sendable {
            /// Also the kernel: windows do not overlap.
            public var stride: [Int]
            public var hasBias: Bool
            public var initialization: Initialization
        }

        public struct Window: Equatable, Sendable {
            public var size: [Int]
            public var stride: [Int]
            public var padding: [Int]
        }
    }
}

/// What lies beyond the border of a padded convolution.
public enum PaddingMode: String, Codable, Sendable {
    case zeros
    /// The opposite side, so that every voxel sees as many neighbours as any other; for measurements of signals.
    case circular
}

/// What follows a normalization.
public enum Activation: String, Codable, Sendable, CaseIterable {
    case relu
    /// Slope 0.01 below 0, as in nnU-Net.
    case leakyReLU = "leaky_relu"

    static let leak = 0.01
}

extension Graph.Operation {
    /// For people: `convolution 3×3×3 / 2`.
    public var description: String {
        func times(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: "×") }
        func strided(_ stride: [Int]) -> String {
            stride.allSatisfy { $0 == 1 } ? "" : Set(stride).count == 1 ? " / \(stride[0])" : " / \(times(stride))"
        }
        return switch self {
        case .input: "input"
        case .convolution(let c): "convolution \(times(c.kernel))\(strided(c.stride))\(c.hasBias ? ", bias" : "")"
        case .transposedConvolution(let c):
            "transposed convolution \(times(c.stride))\(strided(c.stride))\(c.hasBias ? ", bias" : "")"
        case .linear: "linear"
        case .normalization(let normalization, _): "\(normalization)"
        case .activation(.relu): "ReLU"
        case .activation(.leakyReLU): "leaky ReLU"
        case .maxPooling(let window): "max pooling \(times(window.size))\(strided(window.stride))"
        case .averagePooling(let window): "average pooling \(times(window.size))\(strided(window.stride))"
        case .globalAveragePooling: "global average pooling"
        case .upsampling(let factors): "upsampling \(times(factors))"
        case .subsampling(let stride): "identity\(strided(stride))"
        case .add: "add"
        case .residual(let scale): scale == 1 ? "add residual" : "add residual · \(String(format: "%.4f", scale))"
        case .concatenate: "concatenate"
        case .crop: "crop"
        }
    }
}
