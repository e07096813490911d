import Foundation
import Inference
import Networks
import Tensors
import Training
import Volumes

/// Takes one member out of a model's file.
struct ModelMemberStep: MemberStep {
    let model: ModelFile
    let member: Int
    let ingredients: Ingredients
    let key: String
    let volume: String? = nil
    let dependencies: [any Step] = []

    /// - Parameter precision: what the member predicts in; as of a trained one, its predictions follow from its key.
    init(_ model: ModelFile, member: Int, precision: Precision) throws {
        self.model = model
        self.member = member
        ingredients = Ingredients(
            stage: .ingest, version: 1, subject: "\(model.title), member \(member + 1)",
            parameters: ["member": "\(member + 1)", "execution.precision": precision.rawValue],
            inputs: [
                Ingredients.Input(role: "model", title: model.title, digest: model.digest, isSource: true)
            ])
        key = try ingredients.key
    }

    var target: Target { model.description.target }
    var dimensions: Int { model.description.network.dimensions }
    var patch: ZYX<Int> { model.description.training.patch }

    func run(in folder: String, _ context: StepContext) throws -> Results? {
        // The file may have been replaced since the pipeline was read.
        guard try ModelFile(model.title, at: model.path).digest == model.digest else {
            throw FileFault(model.title, "has changed since this run began; run again")
        }
        do {
            let network = try Network(toLoad: model.description.network)
            try network.load(try model.tensors(of: member))
            try NetworkFile.write(network, to: folder + "/" + TrainedMember.weightsName)
        } catch let error as TensorError {
            throw FileFault(model.title, "member \(member + 1) is not of the network that it describes: \(error)")
        }
        return nil
    }

    func voxelSize(_: StepContext) throws -> VoxelSize { model.description.voxelSize }
}
