/// The shape of a U-Net.
///
/// Lists over space have 2 or 3 numbers, y, x or z, y, x: 2D and 3D networks come from the same code.
public struct UNetConfiguration: Codable, Equatable, Sendable {
    public var inputChannels: Int
    public var outputChannels: Int
    /// Spatial axes: 2 or 3.
    public var dimensions: Int
    /// Resolutions, the finest and the coarsest included.
    public var levels: Int
    /// Channels at full resolution; they double with every level.
    public var features: Int
    /// What doubling stops at; nil for never.
    public var maximumFeatures: Int?
    public var convolutionsPerLevel: Int
    /// Kernel of each level's convolutions, odd extents.
    public var kernels: [[Int]]
    /// Downsampling from each level to the next: one fewer than levels. `[1, 2, 2]` where voxels are long in z.
    public var strides: [[Int]]
    public var normalization: Normalization
    public var upsampling: Upsampling

    /// - Parameters:
    ///   - kernels: nil for 3 everywhere.
    ///   - strides: nil for 2 everywhere.
    /// - Throws: ``UNetConfigurationError`` for a network that cannot be.
    public init(
        inputChannels: Int = 1, outputChannels: Int = 1, dimensions: Int = 3, levels: Int = 4, features: Int = 16,
        maximumFeatures: Int? = nil, convolutionsPerLevel: Int = 2, kernels: [[Int]]? = nil,
        strides: [[Int]]? = nil, normalization: Normalization = .batch,
        upsampling: Upsampling = .transposedConvolution
    ) throws {
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
        self.dimensions = dimensions
        self.levels = levels
        self.features = features
        self.maximumFeatures = maximumFeatures
        self.convolutionsPerLevel = convolutionsPerLevel
        let (axes, depth) = (max(0, dimensions), max(0, levels))
        self.kernels = kernels ?? Array(repeating: Array(repeating: 3, count: axes), count: depth)
        self.strides = strides ?? Array(repeating: Array(repeating: 2, count: axes), count: max(0, depth - 1))
        self.normalization = normalization
        self.upsampling = upsampling
        try validate()
    }

    /// Channels of a level, 0 being the finest.
    public func features(at level: Int) -> Int {
        let doubled = features << level
        return maximumFeatures.map { min($0, doubled) } ?? doubled
    }

    /// Checks what a decoded configuration may violate.
    ///
    /// - Throws: ``UNetConfigurationError`` with the field, what was found and what was expected.
    public func validate() throws {
        func require(_ holds: Bool, _ field: String, _ found: Any, _ expected: String) throws {
            if !holds { throw UNetConfigurationError(field: field, found: "\(found)", expected: expected) }
        }
        try require(inputChannels >= 1, "inputChannels", inputChannels, "at least 1")
        try require(outputChannels >= 1, "outputChannels", outputChannels, "at least 1")
        try require([2, 3].contains(dimensions), "dimensions", dimensions, "2 or 3")
        try require((1...16).contains(levels), "levels", levels, "1 to 16")
        try require((1...4096).contains(features), "features", features, "1 to 4096")
        if let maximumFeatures {
            try require(
                maximumFeatures >= features, "maximumFeatures", maximumFeatures, "at least features, \(features)")
        }
        try require(
            (1...16).contains(convolutionsPerLevel), "convolutionsPerLevel", convolutionsPerLevel, "1 to 16")
        try require(kernels.count == levels, "kernels", kernels, "one kernel for each of \(levels) levels")
        for kernel in kernels {
            try require(
                kernel.count == dimensions && kernel.allSatisfy { $0 % 2 == 1 && (1...63).contains($0) }, "kernels",
                kernel, "\(dimensions) odd numbers from 1 to 63")
        }
        try require(
            strides.count == levels - 1, "strides", strides, "one stride between each two of \(levels) levels")
        for stride in strides {
            try require(
                stride.count == dimensions && stride.allSatisfy { (1...16).contains($0) }, "strides", stride,
                "\(dimensions) numbers from 1 to 16")
        }
    }
}

/// A U-Net that cannot be: the field at fault, in one line.
public struct UNetConfigurationError: Error, Equatable, CustomStringConvertible {
    public let field: String
    public let found: String
    public let expected: String

    public var description: String { "network.\(field) must be \(expected), found \(found)" }
}
