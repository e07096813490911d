import Testing
import Volumes

struct VoxelSizeTests {
    @Test(arguments: [
        (ZYX(40, 8, 8.5), LengthUnit.nanometer, "z 40 × y 8 × x 8.5 nm"),
        (ZYX(0.04, 0.008, 0.008), .micrometer, "z 0.04 × y 0.008 × x 0.008 µm"),
        (ZYX(4e-5, 8e-6, 8e-6), .millimeter, "z 40 × y 8 × x 8 nm"),
        (ZYX(2e-3, 4e-4, 4e-4), .millimeter, "z 2000 × y 400 × x 400 nm"),
        (ZYX(0.002, 0.002, 0.002), .millimeter, "z 0.002 × y 0.002 × x 0.002 mm"),
        (ZYX(2e6, 1e6, 1e6), .nanometer, "z 2 × y 1 × x 1 mm"),
        (ZYX(5e5, 1e5, 1e5), .nanometer, "z 500 × y 100 × x 100 µm"),
        (ZYX(1.0 / 3, 1.0 / 3, 10), .angstrom, "z 0.333333 × y 0.333333 × x 10 Å"),
        (ZYX(12345.678, 1, 1), .nanometer, "z 12345.7 × y 1 × x 1 nm"),
    ])
    func aSizeHasShortFigures(size: ZYX<Double>, unit: LengthUnit, text: String) {
        #expect("\(VoxelSize(size, unit))" == text)
    }

    @Test func whatIsStatedIsShown() {
        #expect("\(StatedVoxelSize(nanometers: ZYX(nil, 8, 8), unit: .nanometer))" == "y 8 × x 8 nm")
        #expect(ZYX(-80, 0, 2.5e-7).place(unit: .micrometer) == "z -80, y 0, x 0.00000025 nm")
    }
}
