import Foundation
import Tensors

/// Why depth fails without skips: the gradient of a deep plain network's output changes at random with its input,
/// like white noise, so that a step along it leads nowhere (Balduzzi et al. 2017).
///
/// Networks of one number in and one out, x in [−2, 2], 200 units a layer, weights and biases drawn; the
/// autocorrelation of ∂y/∂x, uncentred and normalised, is averaged over networks. Without biases the gradient would
/// be constant on each side of 0.
public struct ShatteredGradients: Codable, Equatable, Sendable {
    public enum Setting: String, Codable, Sendable, CaseIterable {
        /// Weights of variance 2 / fan-in, biases of variance 1.
        case he = "He"
        /// Weights and biases of variance 1 / fan-in, half of He's, as Glorot & Bengio (2010) have it where layers are
        /// equally wide.
        case glorot = "Glorot"
    }

    public enum Kind: String, Codable, Sendable, CaseIterable {
        case shallow = "1 layer"
        case plain = "24 layers"
        /// x + W·ReLU(x) + b.
        case residual = "24 residual layers"

        var layers: Int { self == .shallow ? 1 : 24 }
    }

    public struct Curve: Codable, Equatable, Sendable {
        public var setting: Setting
        public var kind: Kind
        /// By lag.
        public var autocorrelation: [Double]
        /// ∂y/∂x of the first network over the grid, divided by its root mean square.
        public var example: [Double]
    }

    public var networks: Int
    /// Where ∂y/∂x is taken.
    public var grid: [Double]
    public var lags: [Double]
    public var curves: [Curve]

    static let units = 200
    /// Steps of the grid of 0.02.
    static let points = 201
    static let longestLag = 100

    /// - Parameter networks: how many are averaged.
    /// - Throws: `TensorError`; ``DiagnosisStopped``.
    public static func measure(networks: Int = 100, seed: UInt64 = 1, shouldStop: () -> Bool = { false }) throws
        -> ShatteredGradients
    {
        let step = 4 / Double(points - 1)
        var curves = Setting.allCases.flatMap { setting in
            Kind.allCases.map { kind in
                Curve(
                    setting: setting, kind: kind,
                    autocorrelation: Array(repeating: 0, count: longestLag + 1), example: [])
            }
        }
        for index in 0..<networks {
            if shouldStop() { throw DiagnosisStopped() }
            let network = ScalarNetwork(seed: seed &* 1_000_003 &+ UInt64(index))
            for curve in curves.indices {
                let gradients = try network.gradients(curves[curve].setting, curves[curve].kind)
                curves[curve].add(gradients, share: 1 / Double(networks))
            }
        }
        return ShatteredGradients(
            networks: networks, grid: (0..<points).map { -2 + Double($0) * step },
            lags: (0...longestLag).map { Double($0) * step }, curves: curves)
    }

    /// The mean autocorrelation at a lag.
    public func autocorrelation(_ setting: Setting, _ kind: Kind, lag: Double) -> Double? {
        guard let index = lags.firstIndex(where: { abs($0 - lag) < 1e-9 }) else { return nil }
        return curves.first { $0.setting == setting && $0.kind == kind }?.autocorrelation[index]
    }
}

extension ShatteredGradients.Curve {
    /// Adds one network's gradients to the mean.
    fileprivate mutating func add(_ gradients: [Double], share: Double) {
        let power = gradients.reduce(0) { $0 + $1 * $1 } / Double(gradients.count)
        guard power > 0 else { return }
        if example.isEmpty { example = gradients.map { $0 / power.squareRoot() } }
        for lag in autocorrelation.indices {
            let count = gradients.count - lag
            let product = (0..<count).reduce(0) { $0 + gradients[$1] * gradients[$1 + lag] } / Double(count)
            autocorrelation[lag] += share * product / power
        }
    }
}

/// A fully connected network of one number in and one out, of any setting and kind: they differ in the deviation of
/// what is drawn and in what is done with it, so numbers are drawn once.
private final class ScalarNetwork {
    private let seed: UInt64
    /// Normal numbers of variance 1, by name.
    private var drawn: [String: Tensor] = [:]

    init(seed: UInt64) { self.seed = seed }

    /// ∂y/∂x over the grid: the tangent is carried beside the value, through the same matrices and the same ReLUs.
    func gradients(_ setting: ShatteredGradients.Setting, _ kind: ShatteredGradients.Kind) throws -> [Double] {
        let (units, points) = (ShatteredGradients.units, ShatteredGradients.points)
        return try withoutGradients {
            // Rows: values, then tangents.
            let grid = (0..<points).map { -2 + 4 * Float($0) / Float(points - 1) }
            let x = try Tensor(grid + [Float](repeating: 1, count: points), shape: [2 * points, 1])
            var signal = try affine(x, setting, "layer 0", from: 1)
            for layer in 1..<kind.layers {
                let branch = try affine(activated(signal), setting, "layer \(layer)", from: units)
                signal = kind == .residual ? try signal + branch : branch
            }
            if kind != .residual { signal = try activated(signal) }
            let output = try signal.transformed(
                normals("output", [1, units]) * setting.weightVariance(units).squareRoot())
            return try output.narrowed(axis: 0, to: points..<2 * points).floats().map(Double.init)
        }
    }

    /// The bias reaches values alone.
    private func affine(
        _ signal: Tensor, _ setting: ShatteredGradients.Setting, _ name: String, from input: Int
    ) throws -> Tensor {
        let (units, points) = (ShatteredGradients.units, ShatteredGradients.points)
        let weight = try normals(name, [units, input]) * setting.weightVariance(input).squareRoot()
        let bias = try normals("\(name) bias", [1, units]) * setting.biasVariance(input).squareRoot()
        let product = try signal.transformed(weight)
        return try Tensor.concatenate(
            [
                product.narrowed(axis: 0, to: 0..<points) + bias,
                product.narrowed(axis: 0, to: points..<2 * points),
            ], axis: 0)
    }

    private func activated(_ signal: Tensor) throws -> Tensor {
        let points = ShatteredGradients.points
        let isOn = try signal.narrowed(axis: 0, to: 0..<points).isGreater(than: 0).to(.float32)
        return try signal * Tensor.concatenate([isOn, isOn], axis: 0)
    }

    private func normals(_ name: String, _ shape: [Int]) throws -> Tensor {
        if let known = drawn[name] { return known }
        let new = try Tensor.gaussian(shape, CounterRandom(seed: seed, stream: name))
        drawn[name] = new
        return new
    }
}

extension ShatteredGradients.Setting {
    fileprivate func weightVariance(_ fanIn: Int) -> Double { (self == .he ? 2 : 1) / Double(fanIn) }

    fileprivate func biasVariance(_ fanIn: Int) -> Double { self == .he ? 1 : 1 / Double(fanIn) }
}
