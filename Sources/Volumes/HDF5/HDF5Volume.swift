import CHDF5

/// One volume of a file, as its layout describes it: a dataset, what its axes mean, and what is known besides.
struct HDF5Volume {
    var dataset: HDF5Dataset
    var type: HDF5Type
    var axes: HDF5Axes
    /// How people call the layout.
    var format = "HDF5"
    /// Smaller than the dataset's where that is padded.
    var shape: ZYX<Int>
    /// How many the file has, whether along axes or as datasets of their own, and which of those along axes is meant.
    var channels: Int
    var times: Int
    var channel = 0
    var time = 0
    var voxelSize = StatedVoxelSize.none
    var position: ZYX<Double>?
    /// Other datasets, or levels, where this one was found unasked.
    var others: [String] = []
    /// Files besides those that HDF5 itself names: BigDataViewer's XML.
    var companions: [String] = []

    /// The volume of a dataset by its axes and attributes alone.
    ///
    /// - Throws: `HDF5Refusal`, `HDF5Fault`.
    init(_ dataset: HDF5Dataset) throws {
        self.dataset = dataset
        type = try dataset.type()
        axes = try dataset.axes()
        shape = axes.shape
        channels = axes.channels
        times = axes.times
        voxelSize = try HDF5VoxelSize.stated(of: dataset)
        position = HDF5VoxelSize.position(of: dataset)
    }

    /// The index of the volume along each of the dataset's axes; 0 along z, y and x.
    private var fixed: [Int] {
        var fixed = axes.dimensions.map { _ in 0 }
        if let axis = axes.channel { fixed[axis] = channel }
        if let axis = axes.time { fixed[axis] = time }
        return fixed
    }

    /// The piece that is stored together, and how it is compressed.
    ///
    /// - Throws: `HDF5Refusal` where a filter is missing; `HDF5Fault`.
    func voxels() throws -> (HDF5Voxels, chunk: ZYX<Int>, compression: String) {
        let filters = try dataset.filters()
        let source: any HDF5PieceSource
        var chunk = ZYX(1, shape.y, shape.x)
        switch dataset.storage {
        case .chunks(let lengths):
            source = try chunks(lengths, filters)
            chunk = axes.spatial(of: lengths, missing: 1)
        case .contiguous(let offset?):
            let file = try ReadableFile(dataset.object.file.path)
            let part = HDF5Contiguous.Part(file, from: offset, count: .max)
            source = try HDF5Contiguous(axes, type, fixed: fixed, parts: [part])
        case .external(let parts):
            let held = try parts.map {
                HDF5Contiguous.Part(try ReadableFile($0.path), from: $0.offset, count: $0.count)
            }
            if let short = zip(parts, held).dropLast().first(where: { $0.count != $1.count })?.0 {
                throw HDF5Refusal("is damaged: \(HDF5Library.printable(short.path)) is shorter than it says")
            }
            source = try HDF5Contiguous(axes, type, fixed: fixed, parts: held)
        case .contiguous(nil), .compact, .virtual:
            source = try HDF5Selections(dataset, axes, type, lengths: nil, fixed: fixed)
        }
        let voxels = HDF5Voxels(elementType: type.elementType, source: source, fill: try dataset.fill(type))
        return (voxels, chunk, filters.isEmpty ? "none" : filters.map(\.name).joined(separator: " + "))
    }

    private func chunks(_ lengths: [Int], _ filters: [HDF5Filter]) throws -> any HDF5PieceSource {
        let bytes = try HDF5Chunks.bytes(lengths, valueSize: max(type.size, type.elementType.size))
        let chunkBytes = bytes / max(type.size, type.elementType.size) * type.size
        // Of chunks without filters libhdf5 1.10 says one size and, in a hostile file, copies another.
        if !filters.isEmpty, let pipeline = HDF5Pipeline(filters, chunkBytes: chunkBytes),
            try !dataset.leavesEdgesUnfiltered()
        {
            return try HDF5Chunks(dataset, axes, type, pipeline, lengths: lengths, fixed: fixed)
        }
        if let missing = filters.first(where: { !$0.isInstalled }) {
            throw HDF5Refusal(
                "is compressed with \(missing.name) (filter \(missing.id)), which the installed libhdf5 lacks; "
                    + "set HDF5_PLUGIN_PATH to a folder with its plugin, or write it anew with gzip where that is "
                    + "installed: h5repack -f GZIP=4 IN OUT")
        }
        return try HDF5Selections(dataset, axes, type, lengths: lengths, fixed: fixed)
    }
}
