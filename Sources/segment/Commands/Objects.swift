import ArgumentParser
import Foundation
import Labeling
import Pipeline
import Volumes

struct Objects: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the objects of a labelled volume: the table of the labelling stage alone.",
        discussion: """
            A row an object, as CSV: voxels, volume, centroid and bounding box, in voxels and µm (centroids from the centre of the \
            first voxel, boxes from its edge); whether it touches the \
            border; surface area (Crofton's formula); objects it touches, by faces of voxels, and how much; the axes of the \
            ellipsoid with its second moments, longest first, with their directions; and of each --intensity the mean, \
            standard deviation, minimum, maximum and sum. --contacts writes the pairs of objects that touch. The volume is \
            read block by block.

            Example:
              segment objects sample-data/test-labels.h5 -o objects.csv
            """)

    @Argument(help: "The labelled volume, such as a.tif, b.h5:/labels or c.zarr.", completion: .file())
    var labels: String

    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("The table, .csv (default: print it).", valueName: "file"), completion: .file())
    var output: String?

    @Option(help: ArgumentHelp("The table of contacts, .csv.", valueName: "file"), completion: .file())
    var contacts: String?

    @Option(
        help: ArgumentHelp(
            "An image whose values are measured, as FILE or NAME=FILE; may be repeated.", valueName: "image"),
        completion: .file())
    var intensity: [String] = []

    @OptionGroup var told: VoxelSizeOptions

    @OptionGroup var reading: ReadingOptions

    @Flag(help: "Replace what is at the outputs' places already.")
    var overwrite = false

    @OptionGroup var resources: ResourceOptions

    func validate() throws {
        for (option, path) in [("--output", output), ("--contacts", contacts)] {
            if let path, !path.lowercased().hasSuffix(".csv") {
                throw ValidationError("\(option) must end in .csv, found \(path)")
            }
        }
        if let output, let contacts,
            SourceLocation(output, relativeTo: ".").path == SourceLocation(contacts, relativeTo: ".").path
        {
            throw ValidationError("--output and --contacts are one file, \(output)")
        }
        let names = images.map(\.name)
        if let twice = names.first(where: { name in names.filter { $0 == name }.count > 1 }) {
            throw ValidationError("two images are called '\(twice)'; name them apart, as NAME=FILE")
        }
    }

    /// The images with the names that their columns begin with.
    private var images: [(name: String, file: String)] {
        intensity.map { text in
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2, !parts[0].contains("/") { return (parts[0], parts[1]) }
            return (
                intensity.count == 1
                    ? "intensity" : ((text as NSString).lastPathComponent as NSString).deletingPathExtension, text
            )
        }
    }

    func run() throws {
        for path in [output, contacts].compactMap({ $0 }) where !overwrite {
            guard !FileManager.default.fileExists(atPath: path) else {
                throw FileFault(path, "exists already; --overwrite replaces it")
            }
        }
        let table = try resources.withVolumes(reading) { files in
            try files.objects(of: labels, images: images, voxelSize: told.voxelSize)
        }
        if let contacts { try AtomicFile.writeText(to: contacts) { try table.contactsCSV($0) } }
        guard let output else { return table.csv { Console.say(String($0.dropLast())) } }
        try AtomicFile.writeText(to: output) { try table.csv($0) }
        Console.say("\(grouped(table.rows.count)) object\(table.rows.count == 1 ? "" : "s")   \(output)")
    }
}
