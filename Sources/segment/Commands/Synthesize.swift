import ArgumentParser
import Foundation
import Pipeline
import Synthesis
import Volumes

struct Synthesize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make an EM-like volume of neurites with its exact labels, to try things on.",
        discussion: """
            The same seed makes the same voxels on every machine.

            Example:
              segment synthesize raw.tif labels.h5 --shape 48,128,128 --seed 1
            """)

    @Argument(help: "The image: .tif or .h5 (dataset /raw).", completion: .file())
    var image: String

    @Argument(help: "The labels: .tif or .h5 (dataset /labels).", completion: .file())
    var labels: String

    @Option(help: ArgumentHelp("Voxels along z, y, x.", valueName: "z,y,x"))
    var shape = "48,128,128"

    @Option(help: ArgumentHelp("Nanometres along z, y, x.", valueName: "z,y,x"), transform: VoxelSize.argument)
    var voxelSize = VoxelSize(ZYX(repeating: 10), .nanometer)

    @Option(help: "Another seed makes another tissue.")
    var seed: UInt64 = 1

    @Option(help: "What is labelled 0: none (membranes go to the nearest neurite), membrane or extracellular.")
    var background = NeuriteSynthesis.Background.none

    @Flag(help: "Replace files that are there already.")
    var overwrite = false

    func run() throws {
        guard image != labels else { throw ValidationError("image and labels cannot both be written to \(image)") }
        let shape = try triple(self.shape, "--shape") { Int($0).flatMap { $0 > 0 ? $0 : nil } }
        guard shape.array.allSatisfy({ $0 <= 65_536 }), shape.count <= 1 << 31 else {
            throw ValidationError("--shape is too large, found \(shape); at most 2³¹ voxels")
        }
        let sides = voxelSize.nanometers.array.sorted()
        let (shortest, longest) = (sides[0], sides[2])
        guard shortest >= 0.1, longest <= 100_000, longest <= 20 * shortest else {
            throw ValidationError(
                "--voxel-size must be from 0.1 to 100000 nm, the longest at most 20 times the shortest")
        }
        for output in [image, labels] { try checkPlace(of: output, replaces: overwrite) }
        let (image, labels) = NeuriteSynthesis(
            shape: shape, voxelSize: voxelSize, seed: seed, background: background
        )
        .generate()
        try writeVolume(
            VoxelBuffer(image), to: self.image, dataset: self.image.hasSuffix(".zarr") ? nil : "/raw",
            replaces: overwrite, voxelSize: voxelSize)
        try writeLabels(labels, to: self.labels, replaces: overwrite, voxelSize: voxelSize)
        Console.say("\(shape) voxels of \(voxelSize), \(grouped(Int(labels.voxels.max() ?? 0))) neurites")
    }

    private func triple<Value>(_ text: String, _ option: String, _ read: (Substring) -> Value?) throws -> ZYX<Value>
    {
        let values = text.split(separator: ",").compactMap(read)
        guard values.count == 3, text.split(separator: ",").count == 3 else {
            throw ValidationError("\(option) takes three positive numbers z,y,x, found '\(text)'")
        }
        return ZYX(values[0], values[1], values[2])
    }
}

extension NeuriteSynthesis.Background: ExpressibleByArgument {}
