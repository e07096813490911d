import Diagnosis
import Foundation
import Inference
import Networks
import Reports
import Tensors
import Training
import Volumes

/// What is diagnosed: a pipeline's network with its data, or a network alone.
struct DiagnosisSubject {
    let network: NetworkConfiguration
    let description: DiagnosisResults.Subject
    let device: Device
    let threads: Int
    /// nil without a pipeline.
    let data: PipelineData?

    /// What experiments use of a pipeline.
    struct PipelineData {
        let context: StepContext
        let annotation: Annotation
        let trains: [TrainStep]
        let patch: ZYX<Int>
    }

    /// A network alone.
    init(_ network: NetworkConfiguration, device: Device, threads: Int) throws {
        self.network = network
        self.device = device
        self.threads = threads
        data = nil
        description = try Self.describe(
            network, name: network.architecture,
            facts: [
                DiagnosisResults.Subject.Fact(
                    "data", "none: noise for signals, a synthetic annotated volume for batch normalization")
            ], inputs: [])
    }

    /// The network of a pipeline, whose training volumes have been ingested.
    init(_ pipeline: PipelineRun, _ context: StepContext) throws {
        let annotation = try context.annotation(pipeline.plan.data)
        network = try pipeline.file.network.configuration(voxelSize: annotation.volumes[0].voxelSize)
        device = context.device
        threads = context.threads
        data = PipelineData(
            context: context, annotation: annotation, trains: pipeline.plan.trains,
            patch: pipeline.file.training.patch)
        description = try Self.describe(
            network, name: pipeline.file.name,
            facts: [
                DiagnosisResults.Subject.Fact("pipeline file", pipeline.file.path),
                DiagnosisResults.Subject.Fact(
                    "annotated volumes", pipeline.file.train.map(\.image.title).joined(separator: ", ")),
            ], inputs: pipeline.plan.data.inputs.map(\.digest))
    }

    private static func describe(
        _ network: NetworkConfiguration, name: String, facts: [DiagnosisResults.Subject.Fact], inputs: [String]
    ) throws -> DiagnosisResults.Subject {
        let graph = try network.graph()
        let layers = graph.nodes.count {
            switch $0.operation {
            case .convolution, .transposedConvolution, .linear: true
            default: false
            }
        }
        let own = [
            DiagnosisResults.Subject.Fact("network", "\(network.architecture), \(network.dimensions)D"),
            DiagnosisResults.Subject.Fact("layers with weights", "\(layers)"),
            DiagnosisResults.Subject.Fact("parameters", "\(graph.parameterCount())"),
            DiagnosisResults.Subject.Fact("normalization", "\(network.normalization)"),
            DiagnosisResults.Subject.Fact("residual blocks", "\(graph.residualBlocks.count)"),
        ]
        let identity = try canonicalJSON(network) + Data(inputs.joined(separator: " ").utf8)
        return DiagnosisResults.Subject(name: name, facts: own + facts, digest: Digest.of(identity))
    }

    /// The small real task that stands for the data.
    ///
    /// - Throws: ``DiagnosisError`` without a pipeline, or where its volumes are too small.
    func task() throws -> ClassificationTask {
        guard let data else {
            throw DiagnosisError("needs annotated volumes; give a pipeline file in place of --network")
        }
        return try CentralVoxelTask().make(of: data.annotation.volumes, threads: threads)
    }

    /// The task of a pipeline's volumes, or of a made-up one where there is no pipeline, and what it is made of.
    ///
    /// - Throws: ``DiagnosisError`` where the pipeline's volumes are too small.
    func taskOrSubstitute() throws -> (task: ClassificationTask, data: String) {
        if data != nil { return (try task(), "patches of the pipeline's annotated volumes") }
        let volume = SyntheticVolume()
        return (try CentralVoxelTask().make(of: [volume.annotated()], threads: threads), volume.description)
    }

    var hasResidualBlocks: Bool {
        get throws { try !network.graph().residualBlocks.isEmpty }
    }

    func verdict(_ signal: SignalPropagation.Series, _ trial: TrainingTrial) throws -> Verdict {
        try Verdict(signal, trial, TrainingAids(network))
    }

    /// An input for the network, `[batch, channel, …]`: patches of the pipeline's, or Gaussian noise.
    func input(_ graph: Graph) throws -> Tensor {
        if let data { return try patches(data, member: nil, count: 4, graph).images }
        return try Tensor.gaussian(
            [4, network.inputChannels] + noiseExtents(graph), CounterRandom(seed: 1, stream: "input"),
            device: device)
    }

    private func noiseExtents(_ graph: Graph) throws -> [Int] {
        try extents(graph, about: graph.dimensions == 2 ? 64 : 32)
    }

    /// Refuses a network without a pipeline that this machine cannot hold: its weights with gradients and moments, and
    /// every result of a pass over noise.
    ///
    /// - Throws: `FileFault` with the memory it takes.
    func requireMemory() throws {
        guard data == nil else { return }
        let graph = try network.graph()
        let extents = try graph.extents(of: noiseExtents(graph))
        let results = zip(graph.nodes, extents).reduce(0.0) { sum, part in
            sum + part.1.reduce(Double(part.0.channels)) { $0 * Double($1) }
        }
        // Four samples, each result and its gradient; weights, gradients and two moments.
        let bytes = 4 * (4 * 2 * results + 4 * Double(graph.parameterCount()))
        guard bytes > Double(Machine.availableMemory) else { return }
        throw FileFault(
            network.architecture,
            "needs about \(Bytes.format(Int(min(bytes, 1e18)))) of memory to be diagnosed, and "
                + "\(Bytes.format(Machine.availableMemory)) are free; try fewer features or levels")
    }

    /// Extents that the network can be applied to, of about `length` voxels along each axis; more where its coarsest
    /// level would be a single voxel, which nothing can be normalized over.
    func extents(_ graph: Graph, about length: Int) throws -> [Int] {
        try zip(graph.smallestInput(), graph.totalStride).map { smallest, stride in
            let more = max(length, smallest, 2 * stride) - smallest
            return smallest + (more + stride - 1) / stride * stride
        }
    }

    /// A trained member of the pipeline, if it has residual blocks, with a loss on what it kept back.
    func trainedResidualNetwork() throws -> (network: Network, loss: PatchLoss)? {
        guard let data, try hasResidualBlocks,
            let member = data.trains.first(where: { data.context.cache.state(of: $0) == .complete })
        else { return nil }
        let trained = try NetworkFile.read(try member.weights(data.context), device: device)
        return (trained, try patches(data, member: member.member, count: 2, trained.graph))
    }

    private func patches(_ data: PipelineData, member: Int?, count: Int, _ graph: Graph) throws -> PatchLoss {
        try PatchLoss(
            data.annotation.volumes, split: data.annotation.split, member: member, patch: data.patch, count: count,
            graph: graph,
            device: device, threads: threads)
    }
}
