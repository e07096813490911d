import Foundation
import Networks
import Tensors

/// Times one prediction and one training step of the U-Net that `scripts/bench-network.py` has in PyTorch, and prints
/// them as one line of JSON under the same names.
///
///     NetworkBenchmark [f32|bf16] [threads] [repetitions]
@main
struct NetworkBenchmark {
    let network: Network
    let optimizer: SGD
    let precision: Precision
    let image: Tensor
    let target: Tensor
    let weight: Tensor

    init(precision: Precision) throws {
        network = try Network(
            NetworkConfiguration("unet") {
                $0.levels = 4
                $0.features = 16
            }, seed: 1)
        optimizer = try SGD(network.parameters, rate: 0.01, momentum: 0.99, decay: 3e-5)
        self.precision = precision
        let shape = [2, 1, 64, 64, 64]
        let random = CounterRandom(seed: 1, stream: "benchmark")
        let values = (0..<UInt64(2 * 64 * 64 * 64)).map { Float(random.normal($0)) }
        image = try Tensor(values, shape: shape)
        target = try image.isGreater(than: 0).to(.float32)
        weight = try image.absolute() + 0.5
    }

    static func main() throws {
        let arguments = CommandLine.arguments
        func argument(_ index: Int, _ fallback: String) -> String {
            index < arguments.count ? arguments[index] : fallback
        }
        Libtorch.keepMemory()
        try Libtorch.setThreads(Int(argument(2, "2")) ?? 2)
        let benchmark = try NetworkBenchmark(precision: Precision(rawValue: argument(1, "f32")) ?? .f32)
        let repetitions = Int(argument(3, "3")) ?? 3
        let folded = try benchmark.network.folded(precision: benchmark.precision)
        let prediction = try times(repetitions) { _ = try folded(benchmark.image) }
        let predictionPeak = peakMemory()
        let step = try times(repetitions, benchmark.step)
        print(
            """
            {"name": "segment", "prediction": \(prediction), "prediction_mib": \(predictionPeak), \
            "step": \(step), "step_mib": \(peakMemory())}
            """)
    }

    /// Forward pass, weighted cross-entropy + soft Dice, backward pass, optimizer.
    func step() throws {
        try optimizer.clearGradients()
        let logits = try withAutocast(precision, on: .cpu) { try network(image) }
        let probability = try logits.sigmoid()
        let overlap = try (probability * target).sum() * 2 + 1
        let dice = try overlap / (probability.sum() + target.sum() + 1)
        let loss = try logits.binaryCrossEntropy(withTarget: target, weight: weight) + (1 - dice)
        try loss.backward()
        try optimizer.step()
    }

    /// Seconds of each run after one that warms up.
    static func times(_ repetitions: Int, _ body: () throws -> Void) rethrows -> [Double] {
        try body()
        return try (0..<repetitions).map { _ in
            let clock = ContinuousClock()
            let duration = try clock.measure(body)
            return duration / .seconds(1)
        }
    }

    /// The process's largest resident memory so far, MiB.
    static func peakMemory() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss / 1024
    }
}
