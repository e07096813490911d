/// The slabs of a volume that a writer was given: they follow each other along z without gaps.
struct SlabSequence {
    let path: String
    let shape: ZYX<Int>
    let elementType: ElementType
    private var next = 0

    init(path: String, shape: ZYX<Int>, elementType: ElementType) {
        self.path = path
        self.shape = shape
        self.elementType = elementType
    }

    /// - Precondition: `slab` has the volume's y, x and type and begins where the slab before it ended.
    mutating func take(_ slab: VoxelBuffer, atZ z: Int) {
        precondition(z == next, "the slab at z \(z) does not follow section \(next)")
        precondition(slab.shape.y == shape.y && slab.shape.x == shape.x && z + slab.shape.z <= shape.z)
        precondition(slab.elementType == elementType)
        next += slab.shape.z
    }

    /// - Throws: `FileFault` where sections are missing.
    func checkIsComplete() throws {
        guard next == shape.z else {
            throw FileFault(path, "cannot be completed: \(next) of \(shape.z) sections were written")
        }
    }
}
