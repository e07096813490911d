import Volumes

/// The axes of the ellipsoid that has the second moments of an object, the longest first.
public struct PrincipalAxes: Sendable, Equatable {
    /// From end to end, in the voxel size's unit.
    public var lengths: [Double]
    /// Of length 1; the largest component is positive.
    public var directions: [ZYX<Double>]

    /// - Parameter covariance: of the positions in an object, symmetric, by z, y and x.
    init(covariance: [[Double]]) {
        let (values, vectors) = eigenvectors(of: covariance)
        let order = values.indices.sorted { (values[$1], $0) < (values[$0], $1) }
        // A solid ellipsoid of half axis a has the variance a² / 5 along it.
        lengths = order.map { 2 * (5 * max(0, values[$0])).squareRoot() }
        directions = order.map { index in
            let vector = vectors.map { $0[index] }
            let largest = vector.max { abs($0) < abs($1) } ?? 1
            let sign = largest < 0 ? -1.0 : 1.0
            return ZYX(sign * vector[0], sign * vector[1], sign * vector[2])
        }
    }
}

/// The eigenvalues of a symmetric matrix of 3 × 3, and its eigenvectors as columns (Jacobi's rotations).
private func eigenvectors(of matrix: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
    var a = matrix
    var vectors: [[Double]] = (0..<3).map { row in (0..<3).map { $0 == row ? 1 : 0 } }
    for _ in 0..<32 {
        let rest = a[0][1] * a[0][1] + a[0][2] * a[0][2] + a[1][2] * a[1][2]
        let diagonal = a[0][0] * a[0][0] + a[1][1] * a[1][1] + a[2][2] * a[2][2]
        guard rest > 1e-30 * diagonal else { break }
        for (p, q) in [(0, 1), (0, 2), (1, 2)] where a[p][q] != 0 {
            let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
            let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
            let c = 1 / (t * t + 1).squareRoot()
            let s = t * c
            for k in 0..<3 { (a[k][p], a[k][q]) = (c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]) }
            for k in 0..<3 { (a[p][k], a[q][k]) = (c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]) }
            for k in 0..<3 {
                (vectors[k][p], vectors[k][q]) =
                    (c * vectors[k][p] - s * vectors[k][q], s * vectors[k][p] + c * vectors[k][q])
            }
        }
    }
    return ((0..<3).map { a[$0][$0] }, vectors)
}
