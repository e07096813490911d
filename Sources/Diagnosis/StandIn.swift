import Networks
import Tensors

/// A small residual classifier that is trained for a moment, where no trained residual network is at hand.
public struct StandIn {
    public let network: Network
    public let name: String
    private let training: ClassifierTraining
    private let task: ClassificationTask

    /// - Throws: ``DiagnosisStopped`` where `shouldStop` asks for it.
    public init(
        _ task: ClassificationTask, network: ThinClassifier = ThinClassifier(layers: 20, isResidual: true),
        steps: Int = 200, batch: Int = 64, device: Device, shouldStop: () -> Bool, report: (Double) -> Void
    ) throws {
        self.task = task
        name = "\(network.name) (a stand-in, \(steps) steps)"
        training = try ClassifierTraining(
            network.graph(channels: task.channels), task: task, settings: .init(batch: batch), seed: 1,
            device: device)
        self.network = training.network
        for step in 0..<steps {
            if shouldStop() { throw DiagnosisStopped() }
            _ = try training.step(step, rate: step < steps * 3 / 4 ? 0.1 : 0.01)
            report(Double(step + 1) / Double(steps))
        }
        self.network.mode = .evaluation
    }

    /// Test images `[batch, channel, y, x]`, and the cross-entropy of the network's answers to them.
    public func batch(_ count: Int = 64) throws -> (images: Tensor, loss: ([Tensor]) throws -> Tensor) {
        let indices = Array(0..<min(count, task.test.count))
        let (images, labels) = try task.batch(of: task.test, indices, on: network.device)
        return (images, { try $0[0].binaryCrossEntropy(withTarget: labels) })
    }

    /// The cross-entropy over all test samples.
    public func testLoss(_ probe: Probe?) throws -> Double {
        let (images, loss) = try batch(task.test.count)
        return Double(try loss(network.outputs(images, probe: probe)).item())
    }
}
