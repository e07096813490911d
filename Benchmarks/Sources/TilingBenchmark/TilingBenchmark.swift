import Foundation
import Inference
import Tensors
import Volumes

/// How far the logits of one volume, computed in tiles of several shapes, lie from those of the volume as one tile, in f32.
///
///     TilingBenchmark NAME WEIGHTS IMAGE PATCH VOXELS...    the largest tiles' input voxels
@main
struct TilingBenchmark {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 5, let patch = Int(arguments[4]) else {
            fatalError("usage: TilingBenchmark NAME WEIGHTS IMAGE PATCH VOXELS...")
        }
        Libtorch.keepMemory()
        let image = try normalized(arguments[3])
        let predictor = try Predictor(
            network: NetworkFile.read(arguments[2], device: .cpu), patch: ZYX(repeating: patch), precision: .f32,
            device: .cpu)
        func logits(_ voxels: Int) throws -> [Float] {
            try predictor.unroundedLogits(of: Box(image.shape), volume: image.shape, maximumTileVoxels: voxels) {
                [image.cropped(to: $0)]
            }[0].voxels
        }
        let whole = try logits(.max)
        for voxels in arguments.dropFirst(5).compactMap({ Int($0) }) {
            let plan = try TilePlan(
                volume: image.shape, region: Box(image.shape), geometry: predictor.geometry, maximumVoxels: voxels)
            let tiled = try logits(voxels)
            let differences = zip(whole, tiled).map { abs($0 - $1) }
            let probabilities = zip(whole, tiled).map { abs(probability($0) - probability($1)) }
            let turned = zip(whole, tiled).count { ($0 > 0) != ($1 > 0) }
            let tile = plan.tiles.max { $0.input.count < $1.input.count }!.input.shape
            print(
                "\(column(arguments[1], 14))\(column("\(plan.tiles.count)", 5))\(column("\(tile)", 18))"
                    + column(String(format: "%.1e", differences.max()!), 12)
                    + column(String(format: "%.1e", probabilities.max()!), 12)
                    + String(format: "%.4f %%", 100 * Double(turned) / Double(whole.count)))
        }
    }

    private static func normalized(_ location: String) throws -> Volume<Float> {
        let reader = try VolumeFile.open(location)
        let voxels = try reader.read(Box(reader.info.shape))
        let values = IntensityNormalization(mean: 0, deviation: 1).apply(voxels).voxels.map(Double.init)
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        return IntensityNormalization(mean: mean, deviation: variance.squareRoot()).apply(voxels)
    }

    private static func probability(_ logit: Float) -> Double { LogitScale.probability(Double(logit)) }

    private static func column(_ text: String, _ width: Int) -> String {
        text.padding(toLength: width, withPad: " ", startingAt: 0)
    }
}
