import CHDF5
import Foundation

/// What a file says of one of its datasets. Use it within `HDF5Library.alone`.
struct HDF5Dataset: @unchecked Sendable {
    /// Absolute: `/volumes/raw`.
    let name: String
    let object: HDF5Object
    /// The length of every axis, the slowest first.
    let dimensions: [UInt64]
    let storage: Storage

    /// Where the values are.
    enum Storage {
        /// Chunks of this shape, one length for each axis.
        case chunks([Int])
        /// One after the other in the file, from an offset; nil where nothing was written yet.
        case contiguous(UInt64?)
        /// One after the other in other files' parts.
        case external([ExternalPart])
        /// Within the dataset's header.
        case compact
        /// In other datasets.
        case virtual
    }

    /// `count` bytes from `offset` of a file.
    struct ExternalPart {
        let path: String
        let offset: UInt64
        let count: UInt64
    }

    var handle: HDF5Handle { object.handle }

    /// - Throws: `HDF5Fault` where it is not there or damaged, `HDF5Refusal` where it needs files that must not be opened.
    init(_ name: String, in file: HDF5File) throws {
        try self.init(name, HDF5Object(name, in: file))
    }

    init(_ name: String, _ object: HDF5Object) throws {
        guard object.isDataset else { throw HDF5Refusal("is not a dataset") }
        self.name = name
        self.object = object
        let creation = try HDF5Handle(H5Dget_create_plist(object.handle.id), close: H5Pclose)
        // Before the extent, which of a virtual dataset is found in its sources.
        if H5Pget_layout(creation.id) == H5D_VIRTUAL { try HDF5Sources.check(creation, in: object.file) }
        let space = try HDF5Handle(H5Dget_space(object.handle.id), close: H5Sclose)
        let rank = try HDF5Fault.check(H5Sget_simple_extent_ndims(space.id))
        var dimensions = [hsize_t](repeating: 0, count: Int(rank))
        try HDF5Fault.check(H5Sget_simple_extent_dims(space.id, &dimensions, nil))
        self.dimensions = dimensions
        storage = try Self.storage(of: object, creation, rank: Int(rank))
    }

    /// Shape and type, as in `z 30 × y 40 × x 50 uint8`; the type is left out where it is none of numbers.
    var summary: String {
        let letters = letters()
        let shape = HDF5Axes.lettered(dimensions, letters?.count == dimensions.count ? letters : nil)
        return shape + ((try? type()).map { " " + $0.elementType.rawValue } ?? "")
    }

    /// - Throws: `HDF5Refusal` where they make no volume.
    func axes() throws -> HDF5Axes {
        try HDF5Axes(dimensions.map { Int(clamping: $0) }, letters: letters())
    }

    /// What the file calls the axes; nil where it does not say.
    private func letters() -> [Character]? { AxisTags(of: handle)?.letters ?? labels() }

    func type() throws -> HDF5Type {
        try HDF5Type(HDF5Handle(H5Dget_type(handle.id), close: H5Tclose))
    }

    /// The value of voxels that were never written, in memory's form; nil for zero.
    func fill(_ type: HDF5Type) throws -> [UInt8]? {
        let list = try creationList()
        var status = H5D_FILL_VALUE_UNDEFINED
        try HDF5Fault.check(H5Pfill_value_defined(list.id, &status))
        var time = H5D_FILL_TIME_IFSET
        try HDF5Fault.check(H5Pget_fill_time(list.id, &time))
        guard status == H5D_FILL_VALUE_USER_DEFINED, time != H5D_FILL_TIME_NEVER else { return nil }
        // libhdf5 converts in place.
        var value = [UInt8](repeating: 0, count: max(type.size, type.elementType.size))
        try HDF5Fault.check(H5Pget_fill_value(list.id, type.memory.id, &value))
        return Array(value.prefix(type.elementType.size))
    }

    /// The filters that each chunk went through, in the order of writing.
    func filters() throws -> [HDF5Filter] {
        let list = try creationList()
        let count = try HDF5Fault.check(H5Pget_nfilters(list.id))
        return try (0..<UInt32(count)).map { index in
            var flags: UInt32 = 0
            var values = [UInt32](repeating: 0, count: 32)
            var valueCount = values.count
            var name = [CChar](repeating: 0, count: 64)
            let id = H5Pget_filter2(list.id, index, &flags, &valueCount, &values, name.count, &name, nil)
            try HDF5Fault.check(id)
            let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return HDF5Filter(
                id: id, registeredName: HDF5Library.printable(String(decoding: bytes, as: UTF8.self)),
                values: Array(values.prefix(max(0, valueCount))))
        }
    }

    /// Whether chunks that reach over the edge skip the filters.
    func leavesEdgesUnfiltered() throws -> Bool {
        let list = try creationList()
        var options: UInt32 = 0
        try HDF5Fault.check(H5Pget_chunk_opts(list.id, &options))
        return options != 0
    }

    /// How many bytes a chunk has in the file; 0 where it was never written.
    ///
    /// - Throws: `CodecFault` where the file is smaller; `HDF5Fault`.
    func storedBytes(ofChunkAt offset: [hsize_t], fileSize: UInt64) throws -> Int {
        var size: hsize_t = 0
        guard H5Dget_chunk_storage_size(handle.id, offset, &size) >= 0 else {
            let fault = HDF5Fault()
            // What 1.10 says of a chunk that is not there; later versions say 0.
            if fault.reason == "chunk storage is not allocated" { return 0 }
            throw fault
        }
        guard size <= fileSize, let count = Int(exactly: size) else {
            throw CodecFault("it has \(size) bytes in a file of \(fileSize)")
        }
        return count
    }

    /// The axes' letters by HDF5's dimension labels (HDF5 Dimension Scale Specification): `z`, `Y` or `channel`.
    private func labels() -> [Character]? {
        guard let labels = HDF5Attribute.strings("DIMENSION_LABELS", of: handle) else { return nil }
        let letters = labels.compactMap { label -> Character? in
            switch label.lowercased() {
            case "t", "time": "t"
            case "c", "channel", "channels": "c"
            case "z", "depth": "z"
            case "y", "height": "y"
            case "x", "width": "x"
            default: nil
            }
        }
        return letters.count == dimensions.count ? letters : nil
    }

    private func creationList() throws -> HDF5Handle {
        try HDF5Handle(H5Dget_create_plist(handle.id), close: H5Pclose)
    }

    private static func storage(of object: HDF5Object, _ list: HDF5Handle, rank: Int) throws -> Storage {
        switch H5Pget_layout(list.id) {
        case H5D_COMPACT: return .compact
        case H5D_VIRTUAL: return .virtual
        case H5D_CHUNKED:
            var lengths = [hsize_t](repeating: 0, count: rank)
            try HDF5Fault.check(H5Pget_chunk(list.id, Int32(rank), &lengths))
            let chunk = lengths.compactMap { Int(exactly: $0) }
            guard chunk.count == rank, chunk.allSatisfy({ $0 > 0 }) else { throw HDF5Refusal("has damaged chunks") }
            return .chunks(chunk)
        case H5D_CONTIGUOUS:
            let parts = try externalParts(list, object.file)
            if !parts.isEmpty { return .external(parts) }
            let offset = H5Dget_offset(object.handle.id)
            return .contiguous(UInt64(offset) == .max ? nil : UInt64(offset))
        default: throw HDF5Fault()
        }
    }

    private static func externalParts(_ list: HDF5Handle, _ file: HDF5File) throws -> [ExternalPart] {
        let count = try HDF5Fault.check(H5Pget_external_count(list.id))
        return try (0..<UInt32(count)).map { index in
            var name = [CChar](repeating: 0, count: 4096)
            var offset: off_t = 0
            var size: hsize_t = 0
            try HDF5Fault.check(H5Pget_external(list.id, index, name.count - 1, &name, &offset, &size))
            let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return ExternalPart(
                path: try file.companion(String(decoding: bytes, as: UTF8.self)), offset: UInt64(clamping: offset),
                count: size)
        }
    }
}
