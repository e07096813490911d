import Foundation
import Labeling
import Networks
import Training
import Volumes

extension YAMLValue {
    /// The `model:` of a pipeline file.
    func model(relativeTo folder: String) throws -> ModelFile {
        let title = try text()
        return try located { try ModelFile(title, relativeTo: folder) }
    }
}

extension PipelineFile {
    /// What its members come from, for example `train on 2 volumes from larva.segmodel`.
    var origin: String {
        let volumes = train.count == 1 ? "1 volume" : "\(train.count) volumes"
        guard let model else { return "train on \(volumes)" }
        return learns ? "train on \(volumes) from \(model.title)" : "model \(model.title)"
    }

    /// The keys that a model answers where nothing is trained.
    private static let answered = ["resolution", "target", "network", "training", "ensemble"]

    /// Faults of keys that say what only the model may say.
    static func contradictions(_ keys: [String: YAMLValue]) -> [PipelineFault] {
        guard let model = keys["model"], keys["train"] == nil else { return [] }
        return answered.compactMap { keys[$0] }.map { value in
            value.fault(
                "\(value.name) is what \((try? model.text()) ?? "the model") was trained with; remove it, or give 'train' "
                    + "to go on training")
        }
    }

    /// Takes the network of the model that training goes on from.
    ///
    /// - Throws: `PipelineFault` for a setting that does not fit it.
    mutating func adoptNetwork(of model: ModelFile, asked: Bool) throws {
        let description = model.description
        func refuse(_ key: String, _ found: String, _ expected: String) -> PipelineFault {
            PipelineFault(
                file: path, line: lines[key] ?? lines[String(key.prefix { $0 != "." })],
                problem:
                    "\(key) is \(found), but that of \(model.title) is \(expected), whose weights training starts from"
            )
        }
        if target != description.target {
            throw refuse(
                "target", target.names.joined(separator: ", "), description.target.names.joined(separator: ", "))
        }
        // Weights know their own voxels; `resolution: auto` asks for those of the images.
        if lines["resolution"] == nil { resolution = description.voxelSize }
        if ensemble.members != description.members.count {
            throw refuse("ensemble.members", "\(ensemble.members)", "\(description.members.count)")
        }
        if asked {
            var requested = try network(voxelSize: description.voxelSize)
            requested.inputChannels = description.network.inputChannels
            let own = try parameters("network", requested)
            let others = try parameters("network", description.network)
            let names = Set(own.keys).union(others.keys).sorted()
            if let name = names.first(where: { own[$0] != others[$0] }) {
                throw refuse(name, own[name] ?? "not given", others[name] ?? "not given")
            }
        }
        network = NetworkSettings(description.network)
    }

    /// - Throws: `PipelineFault` where the volumes to learn from ask for another network than the model has.
    func check(_ network: NetworkConfiguration, suits model: ModelFile?) throws {
        guard let model, network.outputChannels != model.description.network.outputChannels else { return }
        throw PipelineFault(
            file: path, line: lines["model"],
            problem: "\(model.title) has \(model.description.network.outputChannels) outputs for voxels of "
                + "\(model.description.voxelSize), but target has \(network.outputChannels) for those of the volumes to "
                + "learn from")
    }

    /// What people should know of training that goes on at other voxels than a model has learnt at.
    var noteOnResolution: String? {
        guard learns, let model, let resolution,
            !resolution.agrees(with: model.description.voxelSize, tolerance: 0.1)
        else { return nil }
        return
            "voxels of \(resolution) are learnt from, but \(model.title), from which training goes on, learnt at "
            + "\(model.description.voxelSize)"
    }

    /// What people should know of a threshold that was calibrated elsewhere.
    var noteOnThreshold: String? {
        guard let model, !learns, consensus.threshold == nil, model.description.calibration != nil,
            consensus.agree != model.description.agree
        else { return nil }
        return "the threshold of \(model.title) was calibrated for agree: \(model.description.agree), not "
            + "\(consensus.agree); consensus.threshold sets another"
    }
}
