/** The product's mark. */
export const Mark = ({ size = 32 }: { readonly size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" fill="#4f46e5" />
    <path
      d="M8 10.5A3.5 3.5 0 0 1 11.5 7h9a3.5 3.5 0 0 1 3.5 3.5v6a3.5 3.5 0 0 1-3.5 3.500H15l-4.400 3.700a.8.8 0 0 1-1.300-.6V19.700A3.500 3.500 0 0 1 8 16.500z"
      fill="#fff"
    />
  </svg>
);
