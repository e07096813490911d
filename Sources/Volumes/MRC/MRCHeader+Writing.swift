extension MRCHeader {
    /// The header of a volume in little endian, as MRC2014 has it: lengths in ångström, the first voxel's place as the
    /// origin.
    static func bytes(of contents: VolumeFile.Contents, mode: Int, _ statistics: VoxelStatistics) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: size)
        func put(_ values: [Int], at offset: Int) {
            for (index, value) in values.enumerated() { bytes.put(Int32(value), at: offset + 4 * index) }
        }
        func put(_ values: [Double], at offset: Int) {
            for (index, value) in values.enumerated() { bytes.put(Float(value), at: offset + 4 * index) }
        }
        let extents: [Int] = contents.shape.array.reversed()
        put(extents + [mode], at: 0)
        put(extents, at: 28)
        if let voxelSize = contents.voxelSize {
            put(voxelSize.in(.angstrom).zip(contents.shape) { $0 * Double($1) }.array.reversed(), at: 40)
        }
        put([90.0, 90, 90], at: 52)
        put([1, 2, 3], at: 64)
        put([statistics.smallest, statistics.largest, statistics.mean], at: 76)
        // The space group of a volume, where 0 is a stack of images.
        put([1], at: 88)
        put([version], at: 108)
        if let position = contents.position {
            put(position.map { $0 / LengthUnit.angstrom.nanometers }.array.reversed(), at: 196)
        }
        bytes.replaceSubrange(208..<216, with: Array("MAP DD\0\0".utf8))
        put([statistics.deviation], at: 216)
        return bytes
    }
}
