import ArgumentParser
import Foundation
import Labeling
import Pipeline
import Volumes

struct Label: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Label the connected components of a volume: the labelling stage alone.",
        discussion: """
            Every voxel that is not 0 is inside; with --labels, voxels of different numbers do not belong together, so that \
            an object in two pieces becomes two. With --edges the objects are those of a graph: three masks, along z, y and \
            x, say which voxels belong to the one before, as affinities do. The ending of the output decides its format: .h5 writes /labels, \
            .tif an ImageJ stack of 16 bits (OME-TIFF of 32 bits beyond 65,535 objects), .zarr labels/objects, .nii and \
            .nii.gz NIfTI, .mrc MRC (up to 65,535 objects). file.h5:/NAME and image.zarr:labels/NAME add to what is there.

            Objects are numbered 1, 2, … by their first voxels. They may be finished as by a pipeline: smoothed, their holes \
            filled, then dropped where they are small, touch the border or lie in an excluded part.

            Example:
              segment label sample-data/test-labels.h5 -o objects.tif
              segment label mask.tif -o objects.tif --fill-holes --drop-border
            """)

    @Argument(
        help: "The mask, such as a.tif, b.h5:/mask or c.zarr, or the labels; of --edges those along z, y and x.",
        completion: .file())
    var volumes: [String]

    @Flag(help: "Its numbers are objects, of which each connected piece becomes one.")
    var labels = false

    @Flag(help: "Three masks of edges to the voxel before, along z, y and x.")
    var edges = false

    @OptionGroup var written: VolumeOutputOptions

    @Option(
        help: "Neighbours of a voxel: 6 (faces), 18 (edges too), 26 (corners too), or within its section 4 or 8.")
    var connectivity: Connectivity = .faces

    @Option(help: "Objects of fewer voxels are dropped.")
    var minVoxels = 0

    @Option(
        help: ArgumentHelp(
            "Voxels get the label that most have within this distance: 40 for nanometres, or '0.5 µm'.",
            valueName: "length"), transform: Length.argument)
    var smooth: Length?

    @Flag(help: "What one object encloses becomes part of it.")
    var fillHoles = false

    @Option(
        help: ArgumentHelp("Then smaller objects are dropped: 0.01 for µm³, or '2000 nm³'.", valueName: "volume"),
        transform: CubicLength.argument)
    var minVolume: CubicLength?

    @Flag(help: "Objects that touch the border of the volume are dropped.")
    var dropBorder = false

    @Option(
        help: ArgumentHelp("Objects with a voxel where this volume is not 0 are dropped.", valueName: "file"),
        completion: .file())
    var exclude: String?

    @OptionGroup var told: VoxelSizeOptions

    @OptionGroup var reading: ReadingOptions

    @OptionGroup var resources: ResourceOptions

    func validate() throws {
        guard minVoxels >= 0 else { throw ValidationError("--min-voxels must be at least 0, found \(minVoxels)") }
        if labels, edges { throw ValidationError("--labels and --edges exclude each other") }
        guard volumes.count == (edges ? 3 : 1) else {
            throw ValidationError(
                "\(edges ? "--edges takes three volumes, along z, y and x" : "one volume is labelled"), found "
                    + "\(volumes.count)")
        }
        if edges, connectivity != .faces {
            throw ValidationError(
                "--edges connect voxels by their faces, but --connectivity is \(connectivity.rawValue)")
        }
    }

    func run() throws {
        let contents: LabelledContents =
            edges
            ? .edges(ZYX(volumes[0], volumes[1], volumes[2])) : labels ? .labels(volumes[0]) : .mask(volumes[0])
        var finish = LabelSettings.Finish()
        finish.smoothing = smooth?.nanometers
        finish.fillHoles = fillHoles
        finish.minimumVolume = minVolume?.cubicMicrometers
        finish.dropsBorder = dropBorder
        let (count, found) = try resources.withVolumes(reading) { files in
            try files.label(
                contents, to: written.output, connectivity: connectivity, minimumVoxels: minVoxels,
                finish: finish, exclusion: exclude, voxelSize: told.voxelSize, replaces: written.overwrite)
        }
        let dropped = count == found ? "" : " of \(grouped(found)), the others dropped"
        Console.say("\(grouped(count)) object\(count == 1 ? "" : "s")\(dropped)   \(written.output)")
    }
}

extension Connectivity: ExpressibleByArgument {}
