// swift-tools-version: 6.1
import PackageDescription

// Measurements of the product against its peers, in a package of their own: the product does not carry them.
let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "segment", path: "..")],
    targets: [
        .executableTarget(
            name: "NetworkBenchmark",
            dependencies: [
                .product(name: "Tensors", package: "segment"), .product(name: "Networks", package: "segment"),
                .product(name: "Inference", package: "segment"), .product(name: "Training", package: "segment"),
                .product(name: "Volumes", package: "segment"),
            ]),
        .executableTarget(
            name: "LabelBenchmark",
            dependencies: [
                .product(name: "Labeling", package: "segment"), .product(name: "Volumes", package: "segment"),
            ]),
        .executableTarget(name: "ScaleBenchmark", dependencies: [.product(name: "Volumes", package: "segment")]),
        .executableTarget(name: "ReadBenchmark", dependencies: [.product(name: "Volumes", package: "segment")]),
    ],
    cxxLanguageStandard: .cxx20
)
